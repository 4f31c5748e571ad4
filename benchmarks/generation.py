"""What writing through an engine costs: `transformers` beside plain generate, `openai` beside plain aiohttp.

The model has random weights in LLaVA's form (a file cannot tell them from trained ones); both sides get the same requests in
the same batches and write the same number of tokens. The endpoint is a server on this machine that answers after a fixed time;
both sides keep as many requests open. Rounds alternate; what is printed is the ratio of medians, rsflow's speed over the bare
one's.

Run it as `python benchmarks/generation.py` (small, on one core, about a minute), or on a GPU with a model of about 1.2 billion
parameters: `python benchmarks/generation.py --device cuda --dtype bfloat16 --hidden 2048 --layers 22 --vocabulary 32000
--rows 256 --batch 64 --tokens 256`. It ends with 1 where a ratio is below 0.95.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import numpy as np
import tokenizers
import torch
import transformers
from aiohttp import web
from PIL import Image

from rsflow.generation import Request, Response, from_settings
from rsflow.generation.api.chat_api import request_body
from rsflow.generation.endpoint import Endpoint
from rsflow.generation.local_model import BatchGenerator, LocalModel

LEAST = 0.95
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %}\n{% endfor %}assistant:"
)


def checkpoint(folder: str, hidden: int, layers: int, vocabulary: int) -> None:
    """A LLaVA with random weights that never ends a text by itself."""
    bpe = tokenizers.ByteLevelBPETokenizer()
    special = ["<pad>", "<s>", "</s>", "<image>"]
    bpe.train_from_iterator(["What does the picture show? A harbour with ships."] * 50, 400, 2, special_tokens=special)
    # Untyped in transformers.
    fast: Any = transformers.PreTrainedTokenizerFast
    together: Any = transformers.LlavaProcessor
    words = fast(tokenizer_object=bpe._tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    side = {"height": 224, "width": 224}
    pictures = transformers.CLIPImageProcessor(size={"shortest_edge": 224}, crop_size=side)
    processor = together(
        pictures, words, patch_size=16, vision_feature_select_strategy="default", chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    )  # fmt: skip
    text = transformers.LlamaConfig(
        vocab_size=max(vocabulary, len(words)), hidden_size=hidden, intermediate_size=3 * hidden, num_hidden_layers=layers,
        num_attention_heads=max(2, hidden // 64), num_key_value_heads=max(2, hidden // 64), pad_token_id=0,
    )  # fmt: skip
    vision = transformers.CLIPVisionConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=2, image_size=224, patch_size=16
    )
    config = transformers.LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=words.convert_tokens_to_ids("<image>")
    )
    model: Any = transformers.LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = None
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def requests_of(rows: int, tokens: int) -> list[Request]:
    random = np.random.default_rng(0)
    made = []
    for i in range(rows):
        stream = io.BytesIO()
        Image.fromarray(random.integers(0, 256, (512, 512, 3), dtype=np.uint8)).save(stream, "JPEG")
        made.append(Request("Be exact.", f"What does picture {i} show?", (stream.getvalue(),), max_tokens=tokens))
    return made


def plain(writer: BatchGenerator, requests: Sequence[Request], batch: int) -> int:
    """What one would write by hand: the processor, generate, decode, batch after batch."""
    model, processor = writer.batches.model, writer.batches.processor
    tokens = 0
    for start in range(0, len(requests), batch):
        some = requests[start : start + batch]
        chats = [
            [{"role": "system", "content": [{"type": "text", "text": one.system}]},
             {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": one.prompt}]}]
            for one in some
        ]  # fmt: skip
        texts = [processor.apply_chat_template(chat, add_generation_prompt=True) for chat in chats]
        pictures = [[Image.open(io.BytesIO(one.pictures[0])).convert("RGB")] for one in some]
        inputs = processor(text=texts, images=pictures, return_tensors="pt", padding=True, add_special_tokens=False)
        inputs = inputs.to(model.device, dtype=model.dtype)
        with torch.inference_mode():
            made = model.generate(**inputs, do_sample=False, max_new_tokens=some[0].max_tokens, pad_token_id=0)
        new = made[:, inputs["input_ids"].shape[1] :].cpu()
        processor.batch_decode(new, skip_special_tokens=True)
        tokens += new.numel()
    return tokens


def written(ask: Any, requests: Sequence[Request]) -> int:
    outcomes = [outcome for _, outcome in ask(requests)]
    assert all(isinstance(outcome, Response) for outcome in outcomes), outcomes[0]
    return sum(outcome.tokens_out for outcome in outcomes)


def serve(port: Any, seconds: float) -> None:
    """An endpoint that takes its time and then says the same to everybody."""
    choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": "a harbour"}}
    body = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 900, "completion_tokens": 3}}).encode()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(seconds)
        return web.Response(body=body, content_type="application/json")

    async def main() -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


def plain_posts(settings: Endpoint, requests: Sequence[Request]) -> int:
    """The same requests by aiohttp alone: no retries, no limits, no reading of answers."""

    async def main() -> int:
        waiting = iter(requests)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=settings.limits.concurrency)) as session:

            async def worker() -> int:
                count = 0
                for request in waiting:
                    async with session.post(
                        f"{settings.address}/chat/completions", json=request_body(request, settings)
                    ) as reply:
                        count += (await reply.json())["usage"]["completion_tokens"]
                return count

            return sum(await asyncio.gather(*[worker() for _ in range(settings.limits.concurrency)]))

    return asyncio.run(main())


def compared(name: str, unit: str, rounds: int, ours: Callable[[], int], bare: Callable[[], int]) -> float:
    """The ratio of medians of what both make in a second, after one round that does not count."""
    speeds: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds + 1):
        for ourselves, run in ((True, ours), (False, bare)):
            start = time.perf_counter()
            count = run()
            if number:
                speeds[ourselves].append(count / (time.perf_counter() - start))
    mine, theirs = (statistics.median(speeds[key]) for key in (True, False))
    print(f"{name:14} rsflow {mine:10,.0f} {unit}/s   bare {theirs:10,.0f} {unit}/s   ratio {mine / theirs:.2f}")
    return mine / theirs


def of_model(args: argparse.Namespace) -> float:
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        checkpoint(folder, args.hidden, args.layers, args.vocabulary)
        settings = {"model": folder, "dtype": args.dtype, "device": args.device, "batch_rows": args.batch}
        engine = from_settings({"name": LocalModel.name, **settings})
        writer: Any = engine.open()
        weights = sum(one.numel() for one in writer.batches.model.parameters())
        print(
            f"model of {weights / 1e6:,.0f} M parameters, {args.rows} requests of {args.tokens} tokens, {args.batch} at a time"
        )
        requests = requests_of(args.rows, args.tokens)
        ours, bare = lambda: written(writer, requests), lambda: plain(writer, requests, args.batch)
        return compared("transformers", "tokens", args.rounds, ours, bare)


def of_endpoint(args: argparse.Namespace) -> float:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, args.wait), daemon=True)
    server.start()
    try:
        address = f"http://127.0.0.1:{here.recv()}/v1"
        settings = {"model": "m", "address": address, "key": None, "limits": {"concurrency": args.concurrency}}
        engine = from_settings({"name": Endpoint.name, **settings})
        assert isinstance(engine, Endpoint)
        ask, requests = engine.open(), requests_of(args.posts, 100)
        print(f"endpoint that answers after {args.wait:g} s, {args.posts} requests, {args.concurrency} at a time")
        ours, bare = lambda: written(ask, requests) // 3, lambda: plain_posts(engine, requests) // 3
        return compared("openai", "requests", args.rounds, ours, bare)
    finally:
        server.terminate()
        server.join()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, kind, default in (
        ("--device", str, "cpu"), ("--dtype", str, "float32"), ("--hidden", int, 256), ("--layers", int, 4),
        ("--vocabulary", int, 1000), ("--rows", int, 16), ("--batch", int, 4), ("--tokens", int, 16), ("--rounds", int, 5),
        ("--posts", int, 400), ("--concurrency", int, 32), ("--wait", float, 0.05),
    ):  # fmt: skip
        parser.add_argument(name, type=kind, default=default)
    args = parser.parse_args()
    if args.device == "cpu":
        torch.set_num_threads(1)  # a model this small gains nothing from more, and they disturb each other
    ratios = [of_endpoint(args), of_model(args)]
    return int(min(ratios) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
