"""``costpolicy predict``: columns, defaults, rows that cannot be predicted.

Covered: the table as text in and out. Not covered: file handling and exit codes (the command line's own tests).
"""

import csv
import io

import pytest

from costpolicy.cli.predict import ANSWERS, PointsError, answer, predict_csv

HEADER = (
    "model,accelerator,tensor_parallel_size,weights,kv_cache_dtype,input_tokens,output_tokens,cached_tokens,concurrency"
)
LLAMA = "meta-llama/Llama-3.1-8B,nvidia-h100-80gb,1,bf16,auto,1200,200,1000,16"


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def test_every_row_keeps_its_columns_and_gets_answers_in_order():
    out = list(csv.DictReader(io.StringIO(predict_csv(table(LLAMA, LLAMA.replace(",16", ",64"))))))
    assert [*HEADER.split(","), *ANSWERS] == list(out[0])
    assert ["16", "64"] == [row["concurrency"] for row in out]
    assert float(out[0]["itl_ms"]) < float(out[1]["itl_ms"])


def test_the_answer_is_what_was_measured_within_its_error():
    (row,) = answer(table(LLAMA))
    assert row["itl_ms"] == pytest.approx(7.35, rel=0.05)
    assert row["ttft_p50_ms"] == pytest.approx(24.9, rel=0.15)
    assert row["output_tokens_per_second"] == pytest.approx(2141, rel=0.05)
    assert row["kv_cache_tokens"] == pytest.approx(462_944, rel=0.01)
    assert row["weights_gib"] == pytest.approx(14.96, rel=0.001)
    assert row["reason"] == ""


def test_empty_optional_cells_are_the_stated_defaults():
    header = HEADER + ",length_cv,rounds"
    empty, stated, burst = answer(table(LLAMA + ",,", LLAMA + ",0.3,", LLAMA + ",0.3,10", header=header))
    assert empty["ttft_ms"] == stated["ttft_ms"] == answer(table(LLAMA))[0]["ttft_ms"]
    assert burst["ttft_ms"] > stated["ttft_ms"]


def test_ranks_are_a_column_that_may_be_missing():
    mixture = LLAMA.replace("meta-llama/Llama-3.1-8B", "Qwen/Qwen3-30B-A3B").replace("h100-80gb", "h200")
    header = HEADER + ",data_parallel_size"
    plain, empty, ranks, dense, none = answer(
        table(f"{mixture},1", f"{mixture},", f"{mixture},4", f"{LLAMA},2", f"{mixture},0", header=header)
    )

    assert plain["itl_ms"] == empty["itl_ms"] == answer(table(mixture))[0]["itl_ms"]
    assert ranks["kv_cache_tokens"] > 4 * plain["kv_cache_tokens"]
    assert "are replicas" in dense["reason"]
    assert "data parallel size 0 does not exist" == none["reason"]


def test_a_pre_quantized_repository_is_its_architecture():
    base, instruct = answer(table(LLAMA, LLAMA.replace("Llama-3.1-8B", "Llama-3.1-8B-Instruct")))
    assert {key: base[key] for key in ANSWERS} == {key: instruct[key] for key in ANSWERS}


def test_a_request_longer_than_8192_tokens_raises_the_limit():
    (row,) = answer(table(LLAMA.replace(",1200,200,1000,", ",20000,500,0,")))
    assert row["reason"] == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("meta-llama/Llama-3.1-8B", "nobody/knows"), "no model nobody/knows"),
        (("nvidia-h100-80gb", "nvidia-h1000"), "no accelerator nvidia-h1000"),
        (("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-70B"), "weights do not fit"),
        ((",bf16,", ",int4,"), "weights is not one of"),
        ((",auto,", ",fp4,"), "kv_cache_dtype is not one of"),
        (("nvidia-h100-80gb", "nvidia-t4"), "needs compute capability"),
        ((",1,bf16", ",3,bf16"), "does not divide the 32 attention heads"),
        ((",1,bf16", ",0,bf16"), "tensor parallel size 0"),
        ((",1,bf16", ",1.5,bf16"), "tensor_parallel_size is not a whole number"),
        ((",16", ",0"), "must be at least 1"),
        ((",16", ",nan"), "concurrency is not a number"),
        ((",16", ","), "concurrency is empty"),
        ((",1200,200,1000", ",1200,200,1300"), "cached tokens are part of the prompt"),
        ((",1200,200,1000", ",200000,200,0"), "exceeds the model's context"),
    ],
)
def test_a_row_that_cannot_be_predicted_keeps_empty_cells_and_says_why(change, why):
    before, after = change
    wrong = LLAMA.removesuffix(before) + after if LLAMA.endswith(before) else LLAMA.replace(before, after, 1)
    out = list(csv.DictReader(io.StringIO(predict_csv(table(wrong, LLAMA)))))
    assert why in out[0]["reason"]
    assert {""} == {out[0][column] for column in ANSWERS if column != "reason"}
    assert out[1]["itl_ms"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "columns are missing: model"),
        (table(header=HEADER.replace(",weights", "")), "columns are missing: weights"),
        (table(header=HEADER + ",itl_ms"), "itl_ms"),
        (table(header=HEADER + ",model"), "model"),
    ],
)
def test_what_is_no_table_of_points_is_refused(text, why):
    with pytest.raises(PointsError, match=why):
        answer(text)


def test_a_table_without_rows_answers_its_header():
    assert predict_csv(table()).strip().split(",") == [*HEADER.split(","), *ANSWERS]
