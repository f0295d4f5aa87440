#!/bin/sh
# Prints the path of the disassembler that disassembler.txt names, which it fetches from
# PyPI into build/ once: 4 MB. Needs pip (or PIP set to a command for it) and unzip.
set -eu

cd "$(dirname "$0")"
mkdir -p ../../build
build=$(cd ../../build && pwd)
nvdisasm=$build/nvdisasm/nvidia/cu13/bin/nvdisasm

if [ ! -x "$nvdisasm" ]; then
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	trap 'exit 130' INT TERM
	${PIP:-python3 -m pip} download --quiet --no-deps --require-hashes --only-binary :all: \
		--platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --dest "$folder" -r disassembler.txt >&2
	unzip -q -o "$folder"/*.whl -d "$folder/nvdisasm"
	chmod +x "$folder"/nvdisasm/nvidia/cu13/bin/*
	rm -rf "$build/nvdisasm"
	mv "$folder/nvdisasm" "$build/nvdisasm"
fi
echo "$nvdisasm"
