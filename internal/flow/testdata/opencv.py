"""What OpenCV's Dense Inverse Search makes of the scenes, as JSON on standard output.

    go run ./internal/flow/scene/render /tmp/scenes
    pip install opencv-python-headless numpy
    python internal/flow/testdata/opencv.py /tmp/scenes > internal/flow/testdata/opencv.json

Of each scene and preset: the mean end-point error in pixels, where the second picture shows
what the first does and everywhere; and the least of ten times, in seconds.
"""
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


folder = sys.argv[1]
result = {"opencv": cv2.__version__, "threads": cv2.getNumThreads(), "scenes": {}}
for path in sorted(glob.glob(os.path.join(folder, "*.flo"))):
    base = path[: -len(".flo")]
    first, second = (cv2.cvtColor(cv2.imread(f"{base}-{i}.png"), cv2.COLOR_BGR2GRAY) for i in range(2))
    truth = truth_of(path)
    seen = cv2.imread(base + "-hidden.png", cv2.IMREAD_GRAYSCALE) == 0
    of = result["scenes"][os.path.basename(base)] = {"size": [first.shape[1], first.shape[0]]}
    for name, preset in PRESETS.items():
        dis = cv2.DISOpticalFlow_create(preset)
        times = []
        for _ in range(10):
            begin = time.perf_counter()
            flow = dis.calc(first, second, None)
            times.append(time.perf_counter() - begin)
        error = np.hypot(*np.moveaxis(flow - truth, 2, 0))
        of[name] = {"seen": round(float(error[seen].mean()), 4), "all": round(float(error.mean()), 4), "seconds": round(min(times), 4)}
json.dump(result, sys.stdout, indent=1)
print()
