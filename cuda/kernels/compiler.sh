#!/bin/sh
# Prints the path of the CUDA compiler that compiler.txt names, which it fetches from
# PyPI into build/ once: 105 MB. Needs pip (or PIP set to a command for it), unzip and,
# to compile, gcc. Nothing of it is needed to build or run the program, only to change
# the kernels.
set -eu

cd "$(dirname "$0")"
mkdir -p ../../build
build=$(cd ../../build && pwd)
nvcc=$build/nvcc/nvidia/cu13/bin/nvcc

if [ ! -x "$nvcc" ]; then
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	trap 'exit 130' INT TERM
	${PIP:-python3 -m pip} download --quiet --no-deps --require-hashes --only-binary :all: \
		--platform manylinux_2_17_x86_64 --platform manylinux2010_x86_64 --dest "$folder" -r compiler.txt >&2
	for wheel in "$folder"/*.whl; do
		unzip -q -o "$wheel" -d "$folder/nvcc"
	done
	chmod +x "$folder"/nvcc/nvidia/cu13/bin/* "$folder"/nvcc/nvidia/cu13/nvvm/bin/*
	rm -rf "$build/nvcc"
	mv "$folder/nvcc" "$build/nvcc"
fi
echo "$nvcc"
