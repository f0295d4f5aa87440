"""What OpenCV's Dense Inverse Search makes of the scenes, as JSON on standard output.

    go run ./internal/flow/scene/render /tmp/scenes
    pip install opencv-python-headless numpy
    python internal/flow/testdata/opencv.py /tmp/scenes > internal/flow/testdata/opencv.json

Of each scene and preset: the mean end-point error in pixels, where the second picture shows
what the first does and everywhere.

    python internal/flow/testdata/opencv.py --time THREADS /tmp/scenes

prints the times of the preset medium instead, to compare with those of
go test -bench Estimate ./internal/flow: medians of 50 calls, in milliseconds, of the clock
and of the processor.
"""
import argparse
import glob
import json
import os
import sys
import time

import cv2
import numpy as np

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


def truth_of(path):
    with open(path, "rb") as file:
        assert np.fromfile(file, np.float32, 1)[0] == np.float32(202021.25)
        width, height = np.fromfile(file, np.int32, 2)
        return np.fromfile(file, np.float32).reshape(height, width, 2)


def read(base):
    return (cv2.cvtColor(cv2.imread(f"{base}-{i}.png"), cv2.COLOR_BGR2GRAY) for i in range(2))


def errors(bases):
    result = {"opencv": cv2.__version__, "scenes": {}}
    for base in bases:
        first, second = read(base)
        truth = truth_of(base + ".flo")
        seen = cv2.imread(base + "-hidden.png", cv2.IMREAD_GRAYSCALE) == 0
        of = result["scenes"][os.path.basename(base)] = {"size": [first.shape[1], first.shape[0]]}
        for name, preset in PRESETS.items():
            flow = cv2.DISOpticalFlow_create(preset).calc(first, second, None)
            error = np.hypot(*np.moveaxis(flow - truth, 2, 0))
            of[name] = {"seen": round(float(error[seen].mean()), 4), "all": round(float(error.mean()), 4)}
    json.dump(result, sys.stdout, indent=1)
    print()


def times(bases, threads):
    cv2.setNumThreads(threads)
    for base in bases:
        first, second = read(base)
        estimator = cv2.DISOpticalFlow_create(PRESETS["medium"])
        taken = []
        for _ in range(50):
            begin = time.perf_counter(), time.process_time()
            estimator.calc(first, second, None)
            taken.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
        clock, processor = 1000 * np.median(taken, 0)
        print(f"{os.path.basename(base)}: {clock:.1f} ms, {processor:.1f} ms of the processor")


parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--time", type=int, metavar="THREADS")
arguments = parser.parse_args()
all_bases = [path[: -len(".flo")] for path in sorted(glob.glob(os.path.join(arguments.folder, "*.flo")))]
if arguments.time:
    times(all_bases, arguments.time)
else:
    errors(all_bases)
