package report

import (
	"testing"
	"time"
)

func TestTimesAreRoundedForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1234 * time.Millisecond: "1.2s", 83456 * time.Millisecond: "1m23s", 3*time.Hour + 25*time.Minute + 10*time.Second: "3h25m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
}

func TestOneThingIsSingular(t *testing.T) {
	for n, want := range map[int]string{0: "0 pictures", 1: "1 picture", 2: "2 pictures"} {
		if got := Count(n, "picture"); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}
