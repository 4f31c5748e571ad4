"""A model through rsflow beside the same model in a plain loop: rows or tokens per second, on the same pictures and batches.

On a CPU (the default, about two minutes): a vision transformer with random weights makes a vector of every picture. The plain
loop reads the same tile files, decodes, prepares and runs; `SeeTiles` does that and everything else that a run needs (units,
receipts, rejects), and both are run in turns. Then the same blocks go through the actor pool of a local Ray, from the first
receipt on (the actor's start is told apart), at least 0.9 × the plain loop. `--kill` ends the actor's process in the middle
and tells how long no receipt came.

On a GPU (`--device cuda`): a vision-language model of `--billions` random parameters in bf16 writes `--tokens` tokens about
every picture, through the captioner and through plain `generate`: at least 0.95 ×, with the share of time that the device was
given work; then an embedder at growing batches up to the largest that fits.

`--grow` watches pools instead: two models that only take time, one after the other, on `--devices` devices that Ray is told of
and nobody looks for. It prints how many devices are held over time, when all workers were at work, the seconds that devices
were held idle, and how long they lay free between the two; and the same for a pool that Ray Data grows by itself from one.

Run it as `python benchmarks/models.py [--kill | --grow] [--device cuda]`; it ends with 1 where a claim does not hold.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import ray
import ray.data
import tokenizers
import torch
import transformers
from tokenizers import models, pre_tokenizers
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from rsflow.config.settings import Budget, Engine
from rsflow.engine.budget import UsageMeter, Used
from rsflow.engine.cluster import ray_data
from rsflow.engine.cluster.worker_pool import pool_size
from rsflow.engine.execute import BLOCK_UNITS, Job, blocks_of, blocks_with, execute
from rsflow.engine.unit_blocks import UnitBlocks
from rsflow.labellers.captioner import Captioner
from rsflow.labellers.embedder import Embedder
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, ModelLabeller, OpenedModel
from rsflow.lake.tile_files import read_pictures, write_pictures
from rsflow.schemas import PICTURE_WORK
from rsflow.stages.predict.predict_tiles import PredictTiles
from rsflow.tiles.encode import decode, encode

POOL_CLAIM, TOKENS_CLAIM = 0.9, 0.95
PICTURE_PX = 256
CHAT = (
    "{% for message in messages %}{% for content in message['content'] %}{% if content['type'] == 'image' %}<image> {% else %}"
    "{{ content['text'] }} {% endif %}{% endfor %}{% endfor %}"
)


def lake(root: Path, tiles: int) -> pa.Table:
    """PICTURE_WORK of so many noisy pictures, each a unit with a file of its own: the least that a unit can be."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(tiles):
        name, file = f"scene/{number}", f"tiles/{number}.parquet"
        picture = encode(random.integers(0, 255, (PICTURE_PX, PICTURE_PX, 3)).astype(np.uint8), "jpg")
        columns = pa.table({"tile_id": [name], "key": [name], "picture": pa.array([picture], pa.large_binary())})
        (place,) = write_pictures(str(root / file), [0], columns)
        same = {"sensor": "optical", "source": "made", "height_px": PICTURE_PX, "width_px": PICTURE_PX, "file": file}
        tile = {"tile_id": name, **same, **place}
        rows.append({"unit": str(number), "scene_id": "scene", "source": "made", "tiles": [tile], "labels": []})
    return pa.Table.from_pylist(rows, schema=PICTURE_WORK)


def embedder(folder: Path, width: int, layers: int, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    config = transformers.Dinov2Config(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=width // 64, image_size=224, patch_size=14
    )
    model: Any = transformers.Dinov2Model(config)
    model.to(dtype).save_pretrained(folder)
    BitImageProcessorPil(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}).save_pretrained(folder)


def captioner(folder: Path, billions: float) -> None:
    """A LLaVA in bf16 with about so many parameters and a tokenizer of nine words; it never ends a text by itself."""
    torch.manual_seed(0)
    marks = {word: i for i, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", "<image>", *"abcd"])}
    inner = tokenizers.Tokenizer(models.WordLevel(marks, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    kinds: Any = transformers  # whose classes have no types
    words = kinds.PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    words.add_special_tokens({"additional_special_tokens": ["<image>"]})
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    kinds.LlavaProcessor(
        pictures, words, patch_size=14, vision_feature_select_strategy="default", chat_template=CHAT, image_token="<image>",
        num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    layer = 2048 * 2048 * 4 + 3 * 2048 * 5632
    text = transformers.LlamaConfig(
        vocab_size=32_000, hidden_size=2048, intermediate_size=5632, num_attention_heads=16, num_key_value_heads=16,
        num_hidden_layers=max(1, round((billions * 1e9 - 0.43e9) / layer)), pad_token_id=0, eos_token_id=2,
    )  # fmt: skip
    vision = transformers.CLIPVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, image_size=336, patch_size=14
    )
    config = transformers.LlavaConfig(vision_config=vision, text_config=text, image_token_index=4)
    model = kinds.LlavaForConditionalGeneration(config).to(torch.bfloat16)
    with torch.no_grad():
        model.lm_head.weight[2].zero_()
    model.save_pretrained(folder)


def make_inputs(root: Path, work: pa.Table, rows: int) -> Iterator[list[LabellerInput]]:
    """What a plain loop does to come by its batches: read, decode, gather."""
    batch: list[LabellerInput] = []
    for unit in work.to_pylist():
        pictures = read_pictures(str(root), unit["tiles"])
        batch += [LabellerInput(decode(pictures[tile["tile_id"]]), "optical", None) for tile in unit["tiles"]]
        while len(batch) >= rows:
            yield batch[:rows]
            batch = batch[rows:]
    if batch:
        yield batch


def plain_vectors(labeller: Embedder, root: Path, work: pa.Table) -> Iterator[float]:
    """Seconds of one pass of a plain loop, as often as asked; the model is loaded once."""
    loaded = labeller.load("AutoModel", "AutoImageProcessor")
    while True:
        start = time.perf_counter()
        for batch in make_inputs(root, work, labeller.batch_rows):
            inputs = loaded.processor(images=[one.image for one in batch], return_tensors="pt")
            with torch.inference_mode():
                loaded.model(**inputs.to(loaded.device, loaded.dtype)).pooler_output.float().cpu().numpy()
        yield time.perf_counter() - start


def plain_tokens(labeller: Captioner, root: Path, work: pa.Table) -> Iterator[float]:
    """Seconds of one pass of plain `generate`, as often as asked."""
    loaded = labeller.load("AutoModelForImageTextToText")
    while True:
        start = time.perf_counter()
        for batch in make_inputs(root, work, labeller.batch_rows):
            texts = [f"<image> {labeller.ask} " for _ in batch]
            inputs = loaded.processor(images=[one.image for one in batch], text=texts, return_tensors="pt", padding=True)
            with torch.inference_mode():
                written = loaded.model.generate(
                    **inputs.to(loaded.device, loaded.dtype), do_sample=False, max_new_tokens=labeller.max_tokens
                )
            loaded.processor.batch_decode(written, skip_special_tokens=True)
        yield time.perf_counter() - start


def through_rsflow(labeller: ModelLabeller, root: Path, work: pa.Table) -> Iterator[tuple[float, dict[str, float]]]:
    """Seconds of one pass through SeeTiles and what it used, as often as asked; opened once."""
    see = PredictTiles(labeller, str(root)).open()
    while True:
        start = time.perf_counter()
        used: dict[str, float] = {}
        for receipt in see(work):
            for one in receipt["usage"][0].as_py():
                used[one["name"]] = used.get(one["name"], 0.0) + one["value"]
        yield time.perf_counter() - start, used


def compare(labeller: ModelLabeller, plain: Iterator[float], root: Path, work: pa.Table, rounds: int) -> tuple[float, float]:
    """Median seconds (plain, rsflow) over rounds in turns; prints the share of rsflow's time that the model was at work."""
    ours = through_rsflow(labeller, root, work)
    next(plain), next(ours)  # warms caches and kernels
    seconds, own, busy = [], [], []
    for _ in range(rounds):
        seconds.append(next(plain))
        took, used = next(ours)
        own.append(took)
        busy.append(used["device_seconds"] / took)
    print(f"    model at work {100 * statistics.median(busy):.0f} % of rsflow's time, {used}")
    return statistics.median(seconds), statistics.median(own)


def pool(labeller: ModelLabeller, root: Path, work: pa.Table, kill: bool) -> tuple[float, float]:
    """(seconds to the first receipt, rows per second from then on) through the actors of a local Ray."""
    stage = UnitBlocks((PredictTiles(labeller, str(root)),), "predict", str(root), f"run{time.time_ns()}", attempts=3)
    start = time.perf_counter()
    times: list[float] = []
    for receipt in execute([Job(stage, blocks_of(work, [0] * work.num_rows))], Engine(workers=2)):
        times += [time.perf_counter() - start] * receipt.num_rows
        if kill and len(times) > work.num_rows // 3:
            kill = False
            _kill_actor()
    gaps = [after - before for before, after in pairwise(times)]
    if gaps:
        print(f"    {len(times)} of {work.num_rows} units, longest time without a receipt {max(gaps):.1f} s")
    # Receipts of a block come together; the first block paid for the actor's start.
    later = [moment for moment in times if moment > times[BLOCK_UNITS - 1]]
    return times[0], len(later) / (times[-1] - times[BLOCK_UNITS - 1]) if later else 0.0


def _kill_actor() -> None:
    """End the process of an actor of this run that holds a model, as the kernel does when memory is short."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            title = (place / "cmdline").read_bytes()
            if title.startswith(b"ray::") and b"_Opened" in title and _ours(int(place.name)):
                os.kill(int(place.name), signal.SIGKILL)
                print(f"    killed the actor {place.name}")
                return
        except OSError:  # it ended meanwhile
            continue
    print("    no actor found to kill")


def _ours(process: int) -> bool:
    """Whether a process descends from this one."""
    while process > 1 and process != os.getpid():
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process == os.getpid()


@dataclass(frozen=True, kw_only=True)
class Sleeper(Embedder):
    """A model that only takes time, to load and for each picture."""

    load_s: float
    picture_s: float

    def open(self) -> OpenedModel:
        time.sleep(self.load_s)

        def infer(batch: Sequence[LabellerInput], _: Any) -> list[LabellerOutput]:
            time.sleep(self.picture_s * len(batch))
            return [LabellerOutput(vector=np.zeros(3, np.float32)) for _ in batch]

        return OpenedModel(lambda batch: batch, infer)


def grown(stage: UnitBlocks, blocks: list[pa.Table], devices: int) -> Iterator[pa.Table]:
    """The same work through a pool that Ray Data grows by itself."""
    work = ray.data.from_arrow([ray_data._packed(block) for block in blocks]).map_batches(
        ray_data._Opened, fn_constructor_args=(stage,), batch_size=1, batch_format="pyarrow", num_cpus=0, num_gpus=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=devices),
    )  # fmt: skip
    yield from work.iter_batches(batch_size=None, batch_format="pyarrow")


@contextmanager
def watched(devices: int) -> Iterator[list[tuple[float, float]]]:
    """(moment, devices held) whenever that changed."""
    held: list[tuple[float, float]] = []
    free: Any = ray.available_resources
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            now = devices - free().get("GPU", 0.0)
            if not held or held[-1][1] != now:
                held.append((time.monotonic(), now))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()


def grow(root: Path, options: argparse.Namespace) -> bool:
    cluster = {"num_cpus": options.devices, "num_gpus": options.devices, "object_store_memory": 512 * 2**20}
    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **cluster)
    embedder(root / "model", 64, 1, torch.float32)  # is named, and never loaded
    tiles = lake(root, options.tiles)
    names = [pa.array([f"{turn}-{unit}" for unit in tiles["unit"].to_pylist()]) for turn in range(options.repeat)]
    work = pa.concat_tables([tiles.set_column(tiles.schema.get_field_index("unit"), "unit", mine) for mine in names])
    sleeper = Sleeper(
        model=str(root / "model"), batch_rows=2, gpus=1.0, cpus=0.0, workers=(1, options.devices),
        load_s=options.load, picture_s=options.picture,
    )  # fmt: skip
    seconds = {name: _two_models(name, sleeper, root, work, options.devices) for name in ("sized by its work", "grown by Ray")}
    print(f"sized by its work {seconds['grown by Ray'] / seconds['sized by its work']:.2f} x as fast as grown by Ray")
    ray.shutdown()
    return seconds["sized by its work"] <= seconds["grown by Ray"]


def _two_models(name: str, sleeper: Sleeper, root: Path, work: pa.Table, devices: int) -> float:
    """Seconds of two models one after the other; prints what their devices did."""
    meter, start = UsageMeter(Budget()), time.monotonic()
    ends = []
    with watched(devices) as held:
        for number in range(2):
            stage = UnitBlocks((PredictTiles(sleeper, str(root)),), "predict", str(root), f"{name}{number}{start}", attempts=1)
            blocks = blocks_with(work, "tiles", PredictTiles(sleeper, str(root)).busy_with)
            sized = name == "sized by its work"
            receipts = execute([Job(stage, blocks)], Engine()) if sized else grown(stage, blocks, devices)
            with meter.over(f"model {number}", 1.0, pool_size((1, devices), len(blocks))[1]) as watch:
                for receipt in receipts:
                    for one in range(receipt.num_rows):
                        watch(receipt.slice(one, 1))
            ends.append(time.monotonic())
        seconds = time.monotonic() - start
        _until(lambda: held[-1][1] == 0)
    print(f"{name}: {seconds:.1f} s")
    print("    devices held " + ", ".join(f"{count:g} from {moment - start:.1f} s" for moment, count in held))
    for used in meter.used:
        _tell(used)
    again = next((moment for moment, count in held if count and moment > ends[0]), ends[0])
    print(f"    from the last result of the one to a device held by the next {again - ends[0]:.1f} s")
    return seconds


def _tell(used: Used) -> None:
    print(
        f"    {used.name}: {used.tiles} pictures in {used.seconds:.1f} s, {used.workers} workers, the first result after "
        f"{used.first_seconds:.1f} s, all at work after {used.ramp_seconds:.1f} s, busy {used.busy_share:.0%}, "
        f"devices idle for {used.idle_gpu_seconds:.1f} s"
    )


def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not what() and time.monotonic() < end:
        time.sleep(0.05)


def on_cpu(root: Path, options: argparse.Namespace) -> bool:
    torch.set_num_threads(options.threads)
    # Ray's own niceness of 15 would measure how busy the machine is otherwise.
    os.environ.update({"OMP_NUM_THREADS": str(options.threads), "RAY_worker_niceness": "0"})
    embedder(root / "model", options.width, options.layers, torch.float32)
    work = lake(root, options.tiles)
    labeller = Embedder(model=str(root / "model"), batch_rows=options.batch, device="cpu", cpus=options.threads)
    loop = plain_vectors(labeller, root, work)
    plain, ours = compare(labeller, loop, root, work, options.rounds)
    print(f"plain loop        {options.tiles / plain:8.1f} rows/s")
    print(f"SeeTiles          {options.tiles / ours:8.1f} rows/s   {plain / ours:.2f} x plain")
    first, rate = pool(labeller, root, pa.concat_tables([work] * options.repeat), options.kill)
    after = statistics.median([next(loop) for _ in range(options.rounds)])  # other work on the machine comes and goes
    ratio = rate * (plain + after) / 2 / options.tiles
    print(f"actor pool of one {rate:8.1f} rows/s   {ratio:.2f} x plain; first receipt after {first:.1f} s")
    return bool(options.kill or ratio >= POOL_CLAIM)


def on_gpu(root: Path, options: argparse.Namespace) -> bool:
    captioner(root / "writer", options.billions)
    work = lake(root, options.tiles)
    writer = Captioner(model=str(root / "writer"), batch_rows=options.batch, max_tokens=options.tokens, device="cuda")
    plain, ours = compare(writer, plain_tokens(writer, root, work), root, work, options.rounds)
    tokens = options.tiles * options.tokens
    print(f"plain generate    {tokens / plain:8.0f} tokens/s")
    print(f"captioner         {tokens / ours:8.0f} tokens/s   {plain / ours:.2f} x plain")
    torch.cuda.empty_cache()
    embedder(root / "embedder", 1024, 24, torch.bfloat16)
    work = pa.concat_tables([work] * options.repeat)
    for rows in (64, 256, 1024, 4096):
        labeller = Embedder(model=str(root / "embedder"), batch_rows=rows, batch_pixels=rows * PICTURE_PX**2, device="cuda")
        passes = through_rsflow(labeller, root, work)
        next(passes)
        took, used = next(passes)
        print(
            f"embedder, batch {rows:4}  {work.num_rows / took:8.1f} rows/s, at work {100 * used['device_seconds'] / took:.0f} %"
        )
    return plain / ours >= TOKENS_CLAIM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--tiles", type=int, default=128, help="pictures of one pass")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=4, help="passes in one run of the actor pool")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU's model, in the loop and in the actor")
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--billions", type=float, default=1.0)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--devices", type=int, default=4, help="with --grow")
    parser.add_argument("--load", type=float, default=4.0, help="with --grow: seconds that a model takes to load")
    parser.add_argument("--picture", type=float, default=0.05, help="with --grow: seconds that it takes for a picture")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mode = grow if options.grow else on_gpu if options.device == "cuda" else on_cpu
        return 0 if mode(Path(folder), options) else 1


if __name__ == "__main__":
    sys.exit(main())
