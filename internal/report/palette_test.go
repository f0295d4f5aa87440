package report

import (
	"testing"

	"impasto/internal/web"
)

func TestLooksGoByName(t *testing.T) {
	looks := looksOf([]string{"mine", "sliced, one pass", "yours", "gaussian"})
	if looks["sliced, one pass"] != look(web.LossLooks["sliced"]) || looks["gaussian"] != look(web.LossLooks["gaussian"]) {
		t.Errorf("losses look otherwise beside others: %v", looks)
	}
	seen := map[look]bool{}
	for name, l := range looks {
		if seen[l] {
			t.Errorf("%s has a look that is taken", name)
		}
		seen[l] = true
	}
}
