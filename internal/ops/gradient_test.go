package ops_test

import (
	"testing"

	"impasto/internal/ops/opstest"
)

func TestGradientsAgreeWithFiniteDifferences(t *testing.T) {
	opstest.Differentiate(t, opstest.Cases())
}
