#!/bin/sh
# Runs go with what GPU support needs to compile, or says on standard error why this
# machine can't build it and exits with status 3. For another system, set GOOS, GOARCH
# and CC, to a C compiler for it.
#
# usage: cuda/go.sh build -tags gpu …
set -eu

folder=$(dirname "$0")
case $(go env GOOS)/$(go env GOARCH) in
linux/amd64 | linux/arm64 | windows/amd64) ;;
*)
	echo "GPU support is for Linux on x86-64 and Arm, and for Windows on x86-64" >&2
	exit 3
	;;
esac
if ! command -v "$(go env CC)" >/dev/null; then
	echo "GPU support needs a C compiler to build, such as gcc" >&2
	exit 3
fi
if ! headers=$("$folder/headers.sh"); then
	echo "GPU support needs the CUDA driver's header to build, which could not be fetched" >&2
	exit 3
fi
CGO_ENABLED=1 CGO_CFLAGS="-O2 -g -I$headers" exec go "$@"
