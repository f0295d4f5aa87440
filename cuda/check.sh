#!/usr/bin/env bash
# Tests GPU support on this machine's GPU, and times it there. A step that fails, or that
# takes longer than its limit, is recorded and the rest goes on; the last lines count the
# failures, and the exit status is 1 where there are any. Output comes as it is made, and
# all of it is in build/gpu-report.txt too, a file to attach to a report.
#
# usage: [SHORT=1] cuda/check.sh [PATTERN]
#
# With SHORT it takes three minutes at most, without it a quarter of an hour. PATTERN is an
# extended regular expression: only steps whose names match are made. More in the
# environment:
#
#	SIZES    sides of the pictures to time, 512 1024 2048 unless given; the first serves
#	         where one will do
#	LIMIT    seconds that each step may take, instead of its own limit
#	IMPASTO  a program to take, instead of one that is built
#	PYTHON   the Python whose PyTorch is timed beside, where it has one; python3 unless given
set -uo pipefail
cd "$(dirname "$0")/.."

pattern=${1:-}
short=${SHORT:-}
all_losses="cmd gaussian gram histogram max-sliced mmd moments relaxed relaxed-euclidean sinkhorn sinkhorn-whole sliced"
if [ -n "$short" ]; then
	sizes=${SIZES:-512} precisions="f16" losses="gaussian gram" warm=1
else
	sizes=${SIZES:-512 1024 2048} precisions="f32 tf32 f16 bf16" losses=$all_losses warm=3
fi
first=${sizes%% *}
impasto=${IMPASTO:-build/impasto}
report=${REPORT:-build/gpu-report.txt}

failed=()
made=0

# step NAME LIMIT COMMAND… makes a step of at most so many seconds.
step() {
	local name=$1 limit=${LIMIT:-$2} began=$SECONDS status=0
	shift 2
	[[ $name =~ $pattern ]] || return 0
	made=$((made + 1))
	printf '\n== %s\n$ %s\n' "$name" "$*"
	timeout --kill-after=10 "$limit" "$@" </dev/null || status=$?
	case $status in
	0) printf -- '-- %s: done in %d s\n' "$name" $((SECONDS - began)) && return ;;
	124 | 137) status="not done in $limit s" ;;
	*) status="exit status $status" ;;
	esac
	printf -- '-- %s: FAILED, %s\n' "$name" "$status"
	failed+=("$name: $status")
}

# bench NAME LIMIT ARGUMENT… times something until clocks have risen, and then for a while.
bench() {
	local name=$1 limit=$2
	shift 2
	step "$name" "$limit" "$impasto" bench "$@" --device cuda --warm-seconds $warm
}

head_of_report() {
	echo "impasto on a GPU, $(date -u '+%Y-%m-%d %H:%M UTC')"
	echo "commit: $(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)"
	echo "system: $(uname -srm), $(go version)"
	if command -v nvidia-smi >/dev/null; then
		nvidia-smi --format=csv --query-gpu=index,name,driver_version,memory.total,compute_cap,pstate,temperature.gpu,power.draw,power.limit
		nvidia-smi --format=csv --query-gpu=index,clocks.sm,clocks.max.sm,clocks.mem,clocks.max.mem,clocks_throttle_reasons.active
		echo "compute processes: $(nvidia-smi --format=csv,noheader --query-compute-apps=pid,name | tr '\n' ';')"
	else
		echo "nvidia-smi isn't here, so clocks and power limit aren't known"
	fi
}

tests() {
	step "tests $1" 400 env IMPASTO_GPU=1 ${2:-} cuda/go.sh test -count=1 -timeout 390s -tags gpu ./cuda ./cuda/internal/...
	step "tests of the program $1" 120 env IMPASTO_GPU=1 ${2:-} cuda/go.sh test -count=1 -timeout 110s -tags gpu -run GPU ./cmd/impasto
}

all() {
	head_of_report
	if [ -z "${IMPASTO:-}" ]; then
		mkdir -p build
		step build 300 cuda/go.sh build -tags gpu -o build/impasto ./cmd/impasto
	fi
	step version 20 "$impasto" version
	step devices 20 "$impasto" devices

	tests "of GPU support"
	if [ -z "$short" ]; then
		step "tests of the kernels" 200 env IMPASTO_GPU=1 cuda/go.sh test -count=1 -timeout 190s -tags gpu ./cuda/kernels
		tests "of GPU support, Ampere's kernels" IMPASTO_CUDA=ampere
		# These run on an emulated device, and say whether the sources are what they should be.
		step "tests of the kernels, emulated" 300 cuda/go.sh test -count=1 -timeout 290s -tags gpu ./cuda/kernels/...
	fi

	for size in $sizes; do
		for precision in $precisions; do
			bench "iteration, Gram, Adam, $precision, $size" 60 iteration --precision "$precision" --size "$size" --loss gram --optimizer adam --runs 101
		done
	done
	for loss in $losses; do
		bench "iteration, $loss, L-BFGS, $first" 60 iteration --size "$first" --loss "$loss" --optimizer lbfgs --runs 25
	done
	bench "launches, Gram, f16, $first" 60 launches --precision f16 --size "$first" --loss gram --runs 51
	bench "launches, Gaussian, f16, $first" 60 launches --precision f16 --size "$first" --loss gaussian --runs 51
	if [ -z "$short" ]; then
		bench "launches, L-BFGS, f16, $first" 60 launches --precision f16 --size "$first" --loss gram --optimizer lbfgs --runs 51
		# Each of 32 convolutions is warmed up; the clocks have risen before.
		step "convolutions, f16, $first" 60 "$impasto" bench kernels --device cuda --precision f16 --size "$first" --runs 25 --warm-seconds 0.3
		step "losses, $first" 120 "$impasto" bench losses --device cuda --sizes "$first" --budget 1
	fi
	export IMPASTO_CUDA=ampere
	bench "iteration, Ampere's kernels, Gram, Adam, f16, $first" 60 iteration --precision f16 --size "$first" --loss gram --optimizer adam --runs 101
	[ -n "$short" ] || bench "launches, Ampere's kernels, Gram, f16, $first" 60 launches --precision f16 --size "$first" --loss gram --runs 51
	unset IMPASTO_CUDA

	if "${PYTHON:-python3}" -c 'import torch' 2>/dev/null; then
		step "PyTorch" "$([ -n "$short" ] && echo 60 || echo 240)" "${PYTHON:-python3}" cuda/pytorch.py --device cuda --seconds 1 --size $sizes ${short:+--only f16}
	else
		printf '\nPyTorch: %s has none\n' "${PYTHON:-python3}"
	fi
	if command -v nvidia-smi >/dev/null; then
		step "clocks at the end" 20 nvidia-smi --format=csv --query-gpu=index,clocks.sm,clocks.mem,temperature.gpu,power.draw,clocks_throttle_reasons.active
	fi

	printf '\n%d of %d steps failed\n' ${#failed[@]} $made
	[ ${#failed[@]} -eq 0 ] || printf '  %s\n' "${failed[@]}"
	[ ${#failed[@]} -eq 0 ] && [ $made -gt 0 ]
}

mkdir -p "$(dirname "$report")"
all 2>&1 | tee "$report"
status=${PIPESTATUS[0]}
echo "the report is in $report"
exit "$status"
