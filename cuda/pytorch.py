"""Times iterations of Gatys et al.'s method in PyTorch, as a figure to stand beside those
of impasto bench iteration: VGG-19 to relu5_1, Gram matrices of five layers, content at
relu4_2, total variation, the gradient to the picture and Adam's step.

Weights are random, of the size that keeps activations from growing or vanishing, since
times don't depend on them. Each way of computing is warmed up by time, and the median of
many iterations is printed; on a GPU iterations are timed by its events.

    python3 cuda/pytorch.py --device cuda --size 512 1024 [--only f16] [--seconds 3]
"""

import argparse
import contextlib
import math
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

WIDTHS = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, 256, "pool", 512, 512, 512, 512, "pool", 512]
STYLE = [0, 2, 4, 8, 12]  # the numbers of the convolutions conv1_1, conv2_1, … conv5_1
CONTENT = 9  # conv4_2


class Network(nn.Module):
    """The convolutions of VGG-19 down to conv5_1, each with ReLU."""

    def __init__(self):
        super().__init__()
        convolutions, channels = [], 3
        for width in WIDTHS:
            if width == "pool":
                continue
            layer = nn.Conv2d(channels, width, 3, padding=1)
            nn.init.normal_(layer.weight, std=math.sqrt(2 / (9 * channels)))
            nn.init.zeros_(layer.bias)
            convolutions.append(layer)
            channels = width
        self.convolutions = nn.ModuleList(convolutions)

    def forward(self, x):
        maps, number = [], 0
        for width in WIDTHS:
            if width == "pool":
                x = functional.max_pool2d(x, 2)
                continue
            x = functional.relu(self.convolutions[number](x))
            maps.append(x)
            number += 1
        return maps


def gram(features):
    rows = features.flatten(2)[0]
    rows = rows / math.sqrt(rows.shape[1])  # before the sum, which is too large for float16 else
    return (rows @ rows.T).float()


class Objective(nn.Module):
    def __init__(self, network, content, style):
        super().__init__()
        self.network = network
        with torch.no_grad():
            self.content = network(content)[CONTENT]
            maps = network(style)
            self.grams = [gram(maps[i]) for i in STYLE]

    def forward(self, picture):
        maps = self.network(picture.to(self.content.dtype))
        loss = functional.mse_loss(maps[CONTENT].float(), self.content.float())
        for i, target in zip(STYLE, self.grams):
            loss = loss + functional.mse_loss(gram(maps[i]), target) / len(STYLE)
        across = (picture[..., 1:] - picture[..., :-1]).square().mean()
        down = (picture[..., 1:, :] - picture[..., :-1, :]).square().mean()
        return loss + 0.01 * (across + down)


class Way:
    """A way to compute: how products are rounded, how maps lie, and whether it is compiled."""

    def __init__(self, name, dtype=torch.float32, tf32=False, last=False, compiled=False):
        self.name, self.dtype, self.tf32, self.last, self.compiled = name, dtype, tf32, last, compiled

    def step(self, size, device):
        """Returns a function that makes one iteration."""
        torch.manual_seed(1)
        layout = torch.channels_last if self.last else torch.contiguous_format
        network = Network().requires_grad_(False).to(device, self.dtype).to(memory_format=layout)

        def noise():
            return torch.rand(1, 3, size, size, device=device).to(memory_format=layout)

        objective = Objective(network, noise().to(self.dtype), noise().to(self.dtype))
        if self.compiled:
            # reduce-overhead records the launches as a CUDA graph.
            objective = torch.compile(objective, mode="reduce-overhead")
        picture = noise().requires_grad_()
        options = {"capturable": True, "fused": True} if device.type == "cuda" else {}
        optimizer = torch.optim.Adam([picture], lr=0.02, **options)

        def iteration():
            optimizer.zero_grad(set_to_none=True)
            loss = objective(picture)
            loss.backward()
            optimizer.step()
            return loss

        return iteration


WAYS = [
    Way("f32, eager"),
    Way("f32, eager, channels_last", last=True),
    Way("tf32, eager", tf32=True),
    Way("tf32, eager, channels_last", tf32=True, last=True),
    Way("tf32, compiled, channels_last", tf32=True, last=True, compiled=True),
    Way("f16, eager", torch.float16),
    Way("f16, eager, channels_last", torch.float16, last=True),
    Way("f16, compiled, channels_last", torch.float16, last=True, compiled=True),
    Way("bf16, compiled, channels_last", torch.bfloat16, last=True, compiled=True),
]


def measure(iteration, device, seconds, most):
    """Returns the times of iterations in milliseconds, after warming up for so many seconds."""
    began = time.perf_counter()
    for done in range(1, 1 << 30):
        iteration()
        if device.type == "cuda":
            torch.cuda.synchronize()
        # torch.compile takes some iterations before it has recorded its graphs.
        if time.perf_counter() - began >= seconds and (done >= 5 or device.type != "cuda"):
            break
    times, began = [], time.perf_counter()
    while len(times) < most and (len(times) < 3 or time.perf_counter() - began < 2 * seconds):
        if device.type == "cuda":
            before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            before.record()
            iteration()
            after.record()
            after.synchronize()
            times.append(before.elapsed_time(after))
        else:
            start = time.perf_counter()
            iteration()
            times.append(1e3 * (time.perf_counter() - start))
    return times


@contextlib.contextmanager
def products_in(tf32):
    """Lets float32 products be made of 10-bit mantissas, or not."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, nargs="+", default=[512], help="sides of the square pictures")
    parser.add_argument("--only", default="", help="only ways whose names begin so, as f16")
    parser.add_argument("--seconds", type=float, default=3, help="to warm up for")
    parser.add_argument("--runs", type=int, default=101, help="to time at most")
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.backends.cudnn.benchmark = True
    where = torch.cuda.get_device_name() if device.type == "cuda" else "the processor"
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}, on {where}")
    failures = 0
    for size in options.size:
        for way in WAYS:
            if not way.name.startswith(options.only):
                continue
            try:
                with products_in(way.tf32):
                    times = measure(way.step(size, device), device, options.seconds, options.runs)
                print(f"{size}×{size} {way.name:32} {statistics.median(times):9.3f} ms, median of {len(times)} "
                      f"({min(times):.3f} to {max(times):.3f})", flush=True)
            except Exception as error:  # of one way, such as out of memory: the others go on
                failures += 1
                print(f"{size}×{size} {way.name:32} failed: {str(error).splitlines()[0][:200]}", flush=True)
            torch._dynamo.reset()
            if device.type == "cuda":
                torch.cuda.empty_cache()
    return failures


if __name__ == "__main__":
    raise SystemExit(1 if main() else 0)
