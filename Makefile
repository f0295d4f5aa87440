# Every target is a thin call of a standard tool; read on for what it runs.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: build man test race arm64-test gpu-test gpu-checked gpu-code gpu-check gpu-cross browser bench bench-picture generate notices check cross weights preset-pictures strength-pictures strength-table controls mask-pictures gallery studio-pictures video-figures

# The program, as ./impasto: with GPU support where this machine can build that, else
# in pure Go. It says which.
build:
	@status=0; ./cuda/go.sh build -tags gpu -o . ./cmd/impasto || status=$$?; \
	case $$status in \
	0) echo "built ./impasto with GPU support";; \
	3) CGO_ENABLED=0 go build -o . ./cmd/impasto && echo "built ./impasto in pure Go, without GPU support";; \
	*) exit $$status;; \
	esac

# The manual pages, into ./man: what --help says, for packages of the program.
man:
	CGO_ENABLED=0 go run ./cmd/impasto man man

# All tests, those of GPU support too where this machine can build it.
test:
	go mod download
	go test -timeout 20m ./...
	@if ./cuda/go.sh version >/dev/null; then $(MAKE) --no-print-directory gpu-test; else echo "NOT TESTED: GPU support"; fi

# What threads share, under the race detector, which needs a C compiler. Plain loops
# are slow under it, so of the processor's tests these are only those about threads.
race:
	go test -race ./internal/atomicfile ./internal/batch ./internal/cluster ./internal/compare ./internal/engine ./internal/optim ./internal/plan
	go test -race -run 'Workers|Waiter|Threads|Together' ./internal/cpu/...
	go test -race -run 'Tabs|Memory|Encoding|Streams' ./studio
	go test -race -run Threads ./internal/flow

# Inner loops for Arm, on other machines by emulation with qemu-aarch64, which takes some
# two minutes of processor time. Left out is what would take several more: convolutions
# of larger maps, and the loops in Go where tests have them by name.
ARM_SKIP = ErrorsOfChained|ConvolutionMatchesPlainLoops/(102_94|76_61|28_27|13_40|300_6|60_5)|GradientsBySigns|ConvolutionOfHalf|ConvolutionIsTheSame|./go$$
ARM_RUN = Inverter|OperationsAgree/f32/cpu=neon/threads=2
ARM = $(if $(filter arm64,$(shell go env GOHOSTARCH)),,-exec qemu-aarch64)
arm64-test:
	@test -z "$(ARM)" || command -v qemu-aarch64 >/dev/null || { echo "no qemu-aarch64 to run programs for Arm with (Debian: apt-get install qemu-user)"; exit 1; }
	CGO_ENABLED=0 GOARCH=arm64 go vet ./internal/cpu/... ./internal/flow/...
	CGO_ENABLED=0 GOARCH=arm64 go test $(ARM) -timeout 20m -skip '$(ARM_SKIP)' ./internal/cpu/kernels
	CGO_ENABLED=0 GOARCH=arm64 go test $(ARM) -timeout 20m -run '$(ARM_RUN)' ./internal/cpu
	CGO_ENABLED=0 GOARCH=arm64 go test $(ARM) ./internal/flow/kernels
	CGO_ENABLED=0 GOARCH=arm64 go test $(ARM) -run InstructionSet ./internal/flow

# GPU support, with a stand-in for the NVIDIA driver that runs the kernels on the
# processor. Needs g++ and what building needs. Results aren't cached, since the go
# command doesn't know all that they depend on. SHORTLY=-short leaves out what takes as
# long again.
gpu-test:
	./cuda/go.sh vet -tags gpu ./...
	./cuda/go.sh run $(STATICCHECK) -tags gpu ./cuda/...
	./cuda/go.sh test -count=1 $(SHORTLY) -tags gpu -timeout 20m ./cuda/...
	./cuda/go.sh test -count=1 $(SHORTLY) -tags gpu -timeout 20m -run GPU ./cmd/impasto

# The program with GPU support builds for the other systems that NVIDIA has drivers for.
# Needs C compilers for them (Debian: gcc-aarch64-linux-gnu, gcc-mingw-w64-x86-64).
gpu-cross:
	GOOS=linux GOARCH=arm64 CC=aarch64-linux-gnu-gcc ./cuda/go.sh build -tags gpu -o /dev/null ./cmd/impasto
	GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc ./cuda/go.sh build -tags gpu -o /dev/null ./cmd/impasto

# The hot GPU kernels, compiled for the processor with checks: races between threads,
# conflicts of banks, and what C++ leaves undefined. Takes an hour or more, and needs g++.
# CHECKED=. has all kernels, which takes much longer.
CHECKED = OnMatrixUnits|OnHopper|Moments|Gram|Adam|Poolings|Elementwise|Inverse
gpu-checked:
	IMPASTO_CHECKED=1 ./cuda/go.sh test -count=1 -tags gpu -timeout 4h -run '$(CHECKED)' ./cuda/kernels

# Whether the GPU kernels' machine code has the instructions that make it fast. A
# disassembler is fetched, 4 MB.
gpu-code:
	cd cuda/kernels && NVDISASM=$$(./disassembler.sh) && NVDISASM=$$NVDISASM go run ./sass

# GPU support on this machine's GPU: the same tests, and how fast it is, also beside
# PyTorch where there is one; all of it in build/gpu-report.txt. With SHORT=1 it takes three
# minutes at most, else a quarter of an hour.
gpu-check:
	./cuda/check.sh '$(ONLY)'

# The pages of impasto compare, batch and studio in a real browser: any Chromium, the one that
# IMPASTO_BROWSER names or the first that is installed.
BROWSER = $${IMPASTO_BROWSER:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
NO_BROWSER = no browser: install Chromium (Debian: apt-get install chromium) or set IMPASTO_BROWSER
browser:
	@browser=$(BROWSER); test -n "$$browser" || { echo "$(NO_BROWSER)"; exit 1; }; \
	IMPASTO_BROWSER=$$browser go test -count=1 -timeout 30m -run Browser ./internal/report ./cmd/impasto

# Output for benchstat.
bench:
	go test -run '^$$' -bench . -benchmem ./...

# What time buys: distance from the style by seconds, for each loss and quality, at one
# content distance, of fixed pairs of pictures; into bin/frontier.jsonl and
# bin/frontier.svg. It takes an hour on two cores. PICTURES is a folder with more
# pictures, as JPEG: golden_gate, tubingen, starry_night, the_scream and wave_kngwa.
# BENCH are more flags, as in BENCH='--label new --with old.jsonl'.
FRONTIER = examples/harbour.png examples/whirl.jpg examples/harbour.png examples/woodcut.jpg \
	examples/harbour.png examples/mosaic.jpg examples/harbour.png examples/dots.jpg
ifdef PICTURES
FRONTIER += $(PICTURES)/golden_gate.jpg $(PICTURES)/starry_night.jpg $(PICTURES)/tubingen.jpg $(PICTURES)/the_scream.jpg \
	$(PICTURES)/golden_gate.jpg $(PICTURES)/wave_kngwa.jpg $(PICTURES)/tubingen.jpg $(PICTURES)/starry_night.jpg
endif
bench-picture:
	CGO_ENABLED=0 go build -o bin/ ./cmd/impasto
	bin/impasto bench picture $(FRONTIER) --plot bin/frontier.svg --json $(BENCH) > bin/frontier.jsonl

# Assembly, GPU kernels and their launches, example pictures, NOTICE, and what documents
# show of the code, from the programs that make them. The compilers of the GPU kernels are
# fetched, 117 MB.
generate:
	go generate ./internal/cpu/kernels ./internal/cpu/pairwise ./internal/flow/kernels ./internal/heif ./internal/webp
	cd cuda/internal/driver && go run generate.go
	cd cuda/kernels && NVRTC=$$(./compiler.sh) go generate .
	go test ./cuda/kernels/cubin -update
	go run ./examples/draw
	go run ./internal/notices
	go test ./losses -run Docs -update
	go test ./internal/settings -run Docs -update
	go run ./internal/calibrate
	go test ./docs -update

# NOTICE, of the modules that the program is linked of on all platforms.
notices:
	go run ./internal/notices

# The pictures of docs/presets.md: the example under every preset, which takes some ten
# minutes.
preset-pictures:
	CGO_ENABLED=0 go build -o bin/ ./cmd/impasto
	mkdir -p docs/images/presets
	for preset in $$(bin/impasto presets | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do \
		bin/impasto stylize examples/harbour.png examples/whirl.jpg -o docs/images/presets/$$preset.jpg \
			--preset $$preset --size 192 --jpeg-quality 90 --checkpoint none || exit 1; \
	done
	go test ./internal/settings -run Docs -update

# The pictures of docs/gallery.md, which take half an hour on two cores.
gallery:
	CGO_ENABLED=0 go build -o bin/ ./cmd/impasto
	mkdir -p bin/gallery docs/images/gallery
	go run ./examples/draw -scale 3.2 -o bin/gallery
	cd bin/gallery && ../impasto stylize harbour.png whirl.jpg -o ../../docs/images/gallery/harbour-whirl.jpg \
		--size 1536 --jpeg-quality 85 --checkpoint none
	cd bin/gallery && for style in woodcut mosaic dots; do \
		../impasto stylize harbour.png $$style.jpg -o ../../docs/images/gallery/harbour-$$style.jpg \
			--size 640 --jpeg-quality 85 --checkpoint none || exit 1; \
	done

# The pictures of docs/strength.md: the example at five strengths, which takes a few
# minutes.
strength-pictures:
	CGO_ENABLED=0 go build -o bin/ ./cmd/impasto
	mkdir -p docs/images/strength
	for strength in 0 25 50 75 100; do \
		bin/impasto stylize examples/harbour.png examples/whirl.jpg -o docs/images/strength/$$strength.jpg \
			--strength $$strength --size 160 --quality draft --jpeg-quality 90 --checkpoint none || exit 1; \
	done

# The content weights that strengths stand for, measured anew, which takes half an hour.
# PAIRS are the pictures to paint, CHECKS those to judge the result by: CONTENT:STYLE, with
# commas between the pairs. Pictures are kept in bin/strength.
PAIRS = examples/harbour.png:examples/whirl.jpg
CHECKS = $(PAIRS)
strength-table:
	go run ./internal/calibrate -ladder bin/strength -pairs $(PAIRS)
	go run ./internal/calibrate -check bin/strength -pairs $(CHECKS)

# The strips of docs/controls.md: the example under several values of each control, which
# takes some ten minutes of processor time.
controls:
	CGO_ENABLED=0 go run ./docs/strips

# The pictures of docs/masks.md, which takes some minutes.
mask-pictures:
	CGO_ENABLED=0 go build -o bin/ ./cmd/impasto
	mkdir -p docs/images/masks
	bin/impasto masks examples/harbour.png --auto 2 -o docs/images/masks/region-{n}.png --size 192
	bin/impasto stylize examples/harbour.png -o docs/images/masks/light.jpg --mask docs/images/masks/region-2.png=examples/whirl.jpg \
		--size 192 --quality draft --jpeg-quality 90 --checkpoint none
	bin/impasto stylize examples/harbour.png examples/whirl.jpg -o docs/images/masks/auto.jpg --mask auto:2 \
		--size 192 --quality draft --jpeg-quality 90 --checkpoint none

# The film of docs/video.md and the numbers of its table: the example scene as a film, painted
# in each way, which takes half an hour. It needs ffmpeg.
VIDEO = bin/video
video-figures:
	CGO_ENABLED=0 go build -o bin/ ./cmd/impasto
	mkdir -p $(VIDEO)/harbour
	go run ./examples/draw -film 24 -o $(VIDEO)/harbour
	for method in independent warped consistent; do \
		bin/impasto video $(VIDEO)/harbour examples/whirl.jpg -o $(VIDEO)/$$method --size 480 --method $$method \
			--json --quiet > $(VIDEO)/$$method.jsonl || exit 1; \
		echo "$$method: $$(tail -n 1 $(VIDEO)/$$method.jsonl)"; \
	done
	ffmpeg -hide_banner -loglevel error -y -framerate 12 -i $(VIDEO)/independent/harbour-%04d.png \
		-framerate 12 -i $(VIDEO)/consistent/harbour-%04d.png -filter_complex \
		"hstack,scale=480:-1:flags=lanczos,split[a][b];[a]palettegen=max_colors=128[p];[b][p]paletteuse=dither=bayer:bayer_scale=4" docs/images/video.gif

# The pictures of docs/studio.md: the studio's page in a browser, which paints for some
# minutes.
studio-pictures:
	@browser=$(BROWSER); test -n "$$browser" || { echo "$(NO_BROWSER)"; exit 1; }; \
	mkdir -p docs/images/studio; \
	IMPASTO_BROWSER=$$browser IMPASTO_STUDIO_PICTURES=$$PWD/docs/images/studio go test -count=1 -timeout 30m -run StudioPictures ./cmd/impasto

# All that must hold besides the tests. Each system and each kind of processor is built for
# once; make cross builds for all.
check: man
	$(MAKE) --no-print-directory cross PLATFORMS="linux/amd64 linux/arm64 darwin/arm64 windows/amd64"
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go mod tidy -diff
	go run ./internal/notices -check
	cd internal/heif && go run generate.go -check
	cd internal/webp && go run generate.go -check
	go vet ./...
	go run $(STATICCHECK) ./...
	go -C internal/cpu/_generate run . -check
	go -C internal/cpu/_generate test ./...
	cd cuda/internal/driver && go run generate.go -check
	cd cuda/kernels && go run ./wrap -check && go run ./generate -check

# The program builds for every platform with nothing but Go.
cross:
	for platform in $(PLATFORMS); do \
		echo "building for $$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} CGO_ENABLED=0 go build -o /dev/null ./cmd/impasto || exit 1; \
	done

# The embedded network again from where it comes from, compared byte for byte.
# Needs pip.
weights:
	./weights/reproduce.sh
