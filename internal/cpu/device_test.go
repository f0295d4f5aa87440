package cpu

import (
	"fmt"
	"testing"

	"impasto/device"
	"impasto/internal/cpu/kernels"
)

func TestAutoPrecisionIsBFloat16WithAMXAlone(t *testing.T) {
	for _, path := range kernels.ISAs() {
		t.Setenv(kernels.Environment, path)
		want := fmt.Sprintf("cpu (%s, 1 threads)", path)
		if path == "amx" {
			want = "cpu (amx, 1 threads, bf16)"
		}
		if got := opened(t, Options{Threads: 1, Precision: device.AutoPrecision}).Name(); got != want {
			t.Errorf("under %s the device is %s, want %s", path, got, want)
		}
	}
}
