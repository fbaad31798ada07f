"""Makes a base model of nothing: a small GPT-2 with random weights and a tokenizer of one's own text, for trying the way of a real one.

python make_base.py letters/ base/ && fabriek model push base/ tiny-writer
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

END = "<|endoftext|>"
CARD = """---
license: cc0-1.0
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [example]
---
# A writer that knows nothing yet

A GPT-2 of two layers with random weights, and a tokenizer of two thousand pieces. It is there to be fine-tuned in an example, and for nothing else.
"""

texts, folder = Path(sys.argv[1]), Path(sys.argv[2])
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
pieces = trainers.BpeTrainer(
    vocab_size=2_000, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
)
tokenizer.train([str(file) for file in sorted(texts.rglob("*.txt"))], pieces)
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, bos_token=END, model_max_length=128)

torch.manual_seed(7)
config = GPT2Config(
    vocab_size=len(fast),
    n_positions=128,
    n_embd=128,
    n_layer=2,
    n_head=4,
    bos_token_id=fast.bos_token_id,
    eos_token_id=fast.eos_token_id,
)
model = GPT2LMHeadModel(config)
model.save_pretrained(folder)
fast.save_pretrained(folder)
(folder / "README.md").write_text(CARD, "utf-8")
print(f"{model.num_parameters():,} parameters in {folder}")
