#!/bin/sh
# Tests GPU support on this machine's GPU and times it there; the report goes to
# standard output and to build/gpu-report.txt. With TORCH set to a script that times
# PyTorch's iterations (arguments: --size N… --device cuda), its figures stand beside.
# SIZES are the sides of the pictures to time, of which the first also serves where
# one will do.
set -eu

sizes=${SIZES:-512 1024 2048}
first=${sizes%% *}

cd "$(dirname "$0")/.."
report=build/gpu-report.txt
mkdir -p build

run() {
	echo
	echo "\$ $*"
	"$@"
}

all() {
	cuda/go.sh build -tags gpu -o build/impasto ./cmd/impasto
	run build/impasto version
	run build/impasto devices
	run env IMPASTO_GPU=1 cuda/go.sh test -count=1 -tags gpu ./cuda
	for precision in f32 tf32 f16 bf16; do
		for size in $sizes; do
			run build/impasto bench iteration --device cuda --precision $precision --size $size --loss gram
		done
	done
	run build/impasto bench kernels --device cuda --precision f16 --size "$first"
	run build/impasto bench losses --device cuda ${SIZES:+--sizes "$first"}
	if [ -n "${TORCH:-}" ]; then
		run "${PYTHON:-python3}" "$TORCH" --size $sizes --device cuda
	fi
}

# A pipe would hide the status of what fails.
if all >"$report" 2>&1; then
	status=0
else
	status=$?
fi
cat "$report"
exit $status
