"""The series of vLLM that the operator reads, by name.

Source: the recorded expositions of vLLM 0.25.1 and 0.32.0 and the source of 0.11.2, 0.20.2 and 0.33.0
(``vllm/v1/metrics/loggers.py``, ``buckets.py``).  A contract test finds every name in a recorded exposition,
so that a rename in a new engine fails a test and not a cluster.
"""

from enum import StrEnum


class EngineMetric(StrEnum):
    """A family of vLLM's ``/metrics``; histograms are named without ``_bucket``, ``_sum`` and ``_count``."""

    RUNNING = "vllm:num_requests_running"
    WAITING = "vllm:num_requests_waiting"
    """Includes preempted requests, which already had their first token."""
    KV_CACHE_USAGE = "vllm:kv_cache_usage_perc"
    CACHE_CONFIG = "vllm:cache_config_info"
    """``kv_cache_size_tokens`` is a label, exported from 0.25 (seen) on; ``num_gpu_blocks x block_size`` is
    wrong for
    hybrid models and not used."""
    PREFIX_QUERIES = "vllm:prefix_cache_queries_total"
    PREFIX_HITS = "vllm:prefix_cache_hits_total"
    PREEMPTIONS = "vllm:num_preemptions_total"
    """Late: the event travels with the preempted request's next output."""
    PROMPT_TOKENS = "vllm:prompt_tokens_total"
    """Includes tokens found in the prefix cache."""
    GENERATED_TOKENS = "vllm:generation_tokens_total"
    """Includes tokens for clients that had hung up."""
    FINISHED = "vllm:request_success_total"
    """By ``finished_reason``; a client that hangs up appears under none of them."""
    REJECTED = "vllm:admission_rejections_total"
    """Refused at a queue limit (HTTP 503); no ``engine`` label; absent in 0.25.1 and older."""
    REQUEST_PROMPT_TOKENS = "vllm:request_prompt_tokens"
    REQUEST_OUTPUT_TOKENS = "vllm:request_generation_tokens"
    TTFT = "vllm:time_to_first_token_seconds"
    INTER_TOKEN = "vllm:inter_token_latency_seconds"  # noqa: S105 - a metric, not a secret
    """One sample for each step of a request, however many tokens it yields (0.11 to 0.33)."""
    REQUEST_INTER_TOKEN = "vllm:request_time_per_output_token_seconds"  # noqa: S105 - a metric, not a secret
    """One sample for each finished request: its time after the first token over the tokens after the first."""
    REQUEST_LIMIT = "vllm:request_params_max_tokens"
    """Of finished requests, after filling in and clamping: not what clients asked."""
    REQUEST_COMPUTED_TOKENS = "vllm:request_prefill_kv_computed_tokens"
    """Prompt tokens of finished requests that were not found in the prefix cache."""
    END_TO_END_TIME = "vllm:e2e_request_latency_seconds"
    QUEUE_TIME = "vllm:request_queue_time_seconds"
    """Until a request was scheduled first; waiting after a preemption is in the next."""
    INFERENCE_TIME = "vllm:request_inference_time_seconds"
    PREFILL_TIME = "vllm:request_prefill_time_seconds"
    """Of each finished request from its scheduling to its first token; this and the next overlap between requests."""
    DECODE_TIME = "vllm:request_decode_time_seconds"
    """Of each finished request from its first token to its last."""
    PROPOSED_TOKENS = "vllm:spec_decode_num_draft_tokens_total"
    """This and the next only of an engine that speculates (0.11 to 0.33)."""
    ACCEPTED_TOKENS = "vllm:spec_decode_num_accepted_tokens_total"
