"""A Llama small enough for a test's CPU: 820,000 random weights, a byte-level tokenizer, a chat template, no
download.

Written with the standard library alone and the same to the byte each time, so neither torch nor a tokenizer
library is needed where the tests run. What it says is noise; what it is for is a real engine that really
batches, caches and counts.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

HIDDEN = 128
LAYERS = 2
ATTENTION_HEADS = 4
KV_HEADS = 2
HEAD_SIZE = 32
"""One of the head sizes for which vLLM's CPU attention has a kernel (32, 64, 80, 96, 112, 128 ...)."""
INTERMEDIATE = 256
VOCABULARY = 2048
CONTEXT = 2048

_SPECIAL = ("<unk>", "<s>", "</s>", "<pad>")
_CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def write_tiny_model(folder: Path, seed: int = 0) -> Path:
    """Write the model's files, readable by every user (an engine in a pod is not the user who wrote them).

    Returns the folder, which then is a complete Hugging Face checkpoint; another `seed` makes another model of the
    same size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    documents = {
        "config.json": _config(),
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3},
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": _tokenizer_config(),
    }
    for name, document in documents.items():
        _write(folder / name, json.dumps(document, indent=1).encode())
    _write(folder / "model.safetensors", _weights(seed))
    folder.chmod(0o755)
    return folder


def _write(path: Path, content: bytes) -> None:
    """Through a rename: an engine that reads the folder now sees the old file or the new one."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.chmod(0o644)
    partial.replace(path)


def _config() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": ATTENTION_HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_SIZE,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 3,
        "torch_dtype": "bfloat16",
    }


def _shapes() -> dict[str, tuple[int, ...]]:
    """The checkpoint's tensors under the names of Hugging Face's Llama, rows by columns."""
    queries, keys = ATTENTION_HEADS * HEAD_SIZE, KV_HEADS * HEAD_SIZE
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}"
        shapes |= {
            f"{at}.input_layernorm.weight": (HIDDEN,),
            f"{at}.self_attn.q_proj.weight": (queries, HIDDEN),
            f"{at}.self_attn.k_proj.weight": (keys, HIDDEN),
            f"{at}.self_attn.v_proj.weight": (keys, HIDDEN),
            f"{at}.self_attn.o_proj.weight": (HIDDEN, queries),
            f"{at}.post_attention_layernorm.weight": (HIDDEN,),
            f"{at}.mlp.gate_proj.weight": (INTERMEDIATE, HIDDEN),
            f"{at}.mlp.up_proj.weight": (INTERMEDIATE, HIDDEN),
            f"{at}.mlp.down_proj.weight": (HIDDEN, INTERMEDIATE),
        }
    return shapes | {"model.norm.weight": (HIDDEN,), "lm_head.weight": (VOCABULARY, HIDDEN)}


def _weights(seed: int) -> bytes:
    """A safetensors file: the header's length in 8 bytes, the header, then the tensors one after the other,
    in bfloat16.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    generator = random.Random(seed)  # the same noise each time is the point
    tensors: list[bytes] = []
    offset = 0
    for name, shape in _shapes().items():
        tensor = _ones(shape[0]) if len(shape) == 1 else _noise(generator, shape[0] * shape[1])
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + len(tensor)]}
        tensors.append(tensor)
        offset += len(tensor)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(tensors)


def _ones(count: int) -> bytes:
    return b"\x80\x3f" * count


def _noise(generator: random.Random, count: int) -> bytes:
    """Random numbers of either sign with a magnitude of 1/64 to 1/32: a fixed exponent around random bits of
    fraction.
    """
    values = bytearray(2 * count)
    values[0::2] = generator.randbytes(count).translate(bytes(0x80 | byte for byte in range(256)))
    values[1::2] = generator.randbytes(count).translate(bytes((byte & 0x80) | 0x3C for byte in range(256)))
    return bytes(values)


def _tokenizer() -> dict[str, Any]:
    merges = _merges()
    tokens = [*_SPECIAL, *_byte_alphabet(), *("".join(pair) for pair in merges)]
    special = [
        {
            "id": number,
            "content": token,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for number, token in enumerate(_SPECIAL)
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [list(pair) for pair in merges],
        },
    }


def _tokenizer_config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": CONTEXT,
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "clean_up_tokenization_spaces": False,
        "chat_template": _CHAT_TEMPLATE,
    }


def _merges() -> list[tuple[str, str]]:
    """Letters join into pairs, a space joins a letter or a pair, pairs join into fours, until the vocabulary
    is full.
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    pairs = [(first, second) for first in letters for second in letters]
    space = "\u0120"  # how byte-level tokenizers write a space
    spaced = [(space, letter) for letter in letters] + [(space, "".join(pair)) for pair in pairs]
    fours = [("".join(first), "".join(second)) for first in pairs[::13] for second in pairs[5::31]]
    room = VOCABULARY - len(_SPECIAL) - 256
    return (pairs + spaced + fours)[:room]


def _byte_alphabet() -> list[str]:
    """The 256 printable characters by which byte-level tokenizers write bytes, in the order of the bytes
    (GPT-2's table).
    """
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    alphabet: list[str] = []
    shifted = 0
    for byte in range(256):
        if byte in printable:
            alphabet.append(chr(byte))
        else:
            alphabet.append(chr(256 + shifted))
            shifted += 1
    return alphabet
