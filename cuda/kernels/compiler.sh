#!/bin/sh
# Prints a folder with the CUDA compilers that compiler.txt and compiler-ptx.txt name, in
# machine/ and ptx/, which it fetches from PyPI into build/ once: 117 MB. Needs pip (or
# PIP set to a command for it), unzip and Linux on x86-64. Nothing of it is needed to
# build or run the program, only to change the kernels.
set -eu

cd "$(dirname "$0")"
mkdir -p ../../build
build=$(cd ../../build && pwd)

if ! cat compiler.txt compiler-ptx.txt | cmp -s - "$build/nvrtc/made-of"; then
	folder=$(mktemp -d "$build/nvrtc-XXXXXX")
	trap 'rm -rf "$folder"' EXIT
	trap 'exit 130' INT TERM
	fetch() {
		${PIP:-python3 -m pip} download --quiet --no-deps --require-hashes --only-binary :all: \
			--platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --platform manylinux2010_x86_64 \
			--platform manylinux1_x86_64 --dest "$folder/$1.wheels" -r "$2" >&2
		for wheel in "$folder/$1.wheels"/*.whl; do
			unzip -q -o "$wheel" -d "$folder/$1"
		done
		find "$folder/$1" -name '*.alt.so*' -delete
		rm -r "$folder/$1.wheels"
	}
	fetch machine compiler.txt
	fetch ptx compiler-ptx.txt
	cat compiler.txt compiler-ptx.txt >"$folder/made-of"
	rm -rf "$build/nvrtc"
	mv "$folder" "$build/nvrtc"
fi
echo "$build/nvrtc"
