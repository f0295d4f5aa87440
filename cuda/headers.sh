#!/bin/sh
# Prints the folder with the CUDA driver's header, cuda.h of CUDA 12, which a
# program with GPU support is compiled with: a toolkit's, or one from NVIDIA's
# package on PyPI (3.5 MB), which is fetched into build/ once. Needs pip (or PIP
# set to a command for it) and unzip for that. Nothing of it is needed to run the
# program.
set -eu

cd "$(dirname "$0")/.."
package=nvidia-cuda-runtime-cu12==12.9.79
digest=25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3
fetched=$PWD/build/cuda-headers

for folder in "${CUDA_HOME:-/usr/local/cuda}/include" "$fetched"; do
	# gorgonia.org/cu compiles with no header newer than those of CUDA 12.
	if grep -qs '^#define CUDA_VERSION 12' "$folder/cuda.h"; then
		echo "$folder"
		exit
	fi
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
${PIP:-python3 -m pip} download --quiet --no-deps --only-binary :all: --platform manylinux_2_17_x86_64 \
	--dest "$folder" "$package" >&2
wheel=$(echo "$folder"/*.whl)
sum=$(sha256sum "$wheel")
if [ "${sum%% *}" != "$digest" ]; then
	echo "headers.sh: $(basename "$wheel") has SHA-256 ${sum%% *}, want $digest" >&2
	exit 1
fi
unzip -q "$wheel" 'nvidia/cuda_runtime/include/*' -d "$folder"
mkdir -p "$(dirname "$fetched")"
rm -rf "$fetched"
mv "$folder/nvidia/cuda_runtime/include" "$fetched"
echo "$fetched"
