package settings

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"impasto/device"
	"impasto/internal/names"
)

// Value reads and writes a setting as text. Every pflag.Value is one, and the
// other way round.
type Value interface {
	// Set reads the value. The error says what would have been right, and leaves
	// the value as it was.
	Set(text string) error
	// String is the text of the value as it is.
	String() string
	// Type is the word for the value in a help, such as its unit; "bool" for what is
	// on or off.
	Type() string
}

// Switch is what is on or off.
func Switch(target *bool) Value { return onOff{target} }

type onOff struct{ target *bool }

func (b onOff) String() string { return strconv.FormatBool(*b.target) }

func (b onOff) Type() string { return "bool" }

func (b onOff) Set(text string) error {
	value, err := strconv.ParseBool(text)
	if err != nil {
		return errors.New("want true or false")
	}
	*b.target = value
	return nil
}

// Whole is a whole number between two bounds, both included. Unit is the word for
// it in a help.
func Whole(target *int, low, high int, unit string) Value {
	return wholeNumber{target, low, high, unit}
}

type wholeNumber struct {
	target    *int
	low, high int
	unit      string
}

func (n wholeNumber) String() string { return strconv.Itoa(*n.target) }

func (n wholeNumber) Type() string { return n.unit }

func (n wholeNumber) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < n.low || value > n.high {
		return fmt.Errorf("want a whole number from %d to %d", n.low, n.high)
	}
	*n.target = value
	return nil
}

// unsigned is any whole number from 0, as seeds are.
type unsigned struct {
	target *uint64
	what   string
}

func (n unsigned) String() string { return strconv.FormatUint(*n.target, 10) }

func (n unsigned) Type() string { return n.what }

func (n unsigned) Set(text string) error {
	value, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return errors.New("want a whole number from 0")
	}
	*n.target = value
	return nil
}

// Memory is an amount of memory in bytes, 0 of which leaves it to the program.
func Memory(target *int64) Value { return amount{target} }

type amount struct{ target *int64 }

// automatic is how 0 is written.
const automatic = "auto"

var amountUnits = []string{"B", "KiB", "MiB", "GiB", "TiB"}

func (a amount) String() string {
	n, unit := *a.target, 0
	if n == 0 {
		return automatic
	}
	for ; n%1024 == 0 && unit+1 < len(amountUnits); unit++ {
		n /= 1024
	}
	return fmt.Sprint(n, amountUnits[unit])
}

func (amount) Type() string { return "AMOUNT" }

// Set reads a number with a unit: 2GiB, 2G, 1.5g or 800MB, which are all powers of 1024,
// as memory is sold.
func (a amount) Set(text string) error {
	if text == automatic {
		*a.target = 0
		return nil
	}
	number := strings.TrimRight(text, "bBiIkKmMgGtT ")
	unit := strings.ToUpper(strings.TrimSpace(text[len(number):]))
	unit = strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I")
	power := strings.Index("KMGT", unit) + 1
	value, err := strconv.ParseFloat(number, 64)
	if bytes := value * math.Pow(1024, float64(power)); err == nil && len(unit) == 1 && power > 0 && bytes >= 1<<20 && bytes < 1<<60 {
		*a.target = int64(bytes)
		return nil
	}
	return errors.New("want an amount of memory from 1MiB on, such as 2GiB or 800MiB, or auto")
}

// Real is a finite number between two bounds, both included. Unit is the word for
// it in a help.
func Real(target *float64, low, high float64, unit string) Value {
	return realNumber{target, low, high, unit}
}

type realNumber struct {
	target    *float64
	low, high float64
	unit      string
}

func (n realNumber) String() string { return strconv.FormatFloat(*n.target, 'g', -1, 64) }

func (n realNumber) Type() string { return n.unit }

func (n realNumber) Set(text string) error {
	value, err := parseNumber(text, n.low, n.high)
	if err != nil {
		return err
	}
	*n.target = value
	return nil
}

// parseNumber reads a finite number between two bounds, both included.
func parseNumber(text string, low, high float64) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || value < low || value > high {
		return 0, fmt.Errorf("want a number from %g to %g", low, high)
	}
	return value, nil
}

// Choice is one of a few names. What says what is named, as in "loss".
func Choice[T ~string](target *T, what string, candidates []string) Value {
	return choice[T]{target, what, candidates, noHelp}
}

type choice[T ~string] struct {
	target     *T
	what       string
	candidates []string
	help       func(name string) string // in one line, or nothing
}

func (c choice[T]) String() string { return string(*c.target) }

func (c choice[T]) Type() string { return strings.ToUpper(strings.ReplaceAll(c.what, " ", "-")) }

func (c choice[T]) Set(text string) error {
	if err := names.Check(c.what, text, c.candidates); err != nil {
		return err
	}
	*c.target = T(text)
	return nil
}

// Text is any text but an empty one, such as the name of a file. What is the word
// for it in a help.
func Text(target *string, what string) Value { return freeText{target, what} }

type freeText struct {
	target *string
	what   string
}

func (t freeText) String() string { return *t.target }

func (t freeText) Type() string { return t.what }

func (t freeText) Set(text string) error {
	if text == "" {
		return errors.New("want a name")
	}
	*t.target = text
	return nil
}

// deviceName is a name of package device.
type deviceName struct{ target *device.Name }

func (d deviceName) String() string { return string(*d.target) }

func (d deviceName) Type() string { return "DEVICE" }

func (d deviceName) Set(text string) error {
	name, err := device.Parse(text)
	if err != nil {
		return errors.New("no such device; want " + deviceNames())
	}
	*d.target = name
	return nil
}

// Names are several names with commas between them, each one of the candidates.
// The first Set replaces what the target holds, and others add to it. What says
// what is named, as in "loss".
func Names(target *[]string, what string, candidates []string) Value {
	return &nameList{target: target, what: what, candidates: candidates}
}

type nameList struct {
	target     *[]string
	what       string
	candidates []string
	given      bool
}

func (n *nameList) String() string { return strings.Join(*n.target, ",") }

func (n *nameList) Type() string { return strings.ToUpper(n.what) + ",…" }

func (n *nameList) Set(text string) error {
	var list []string
	for name := range strings.SplitSeq(text, ",") {
		if err := names.Check(n.what, name, n.candidates); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		list = append(list, name)
	}
	if n.given {
		list = append(slices.Clone(*n.target), list...)
	}
	for i, name := range list {
		if slices.Contains(list[:i], name) {
			return fmt.Errorf("%s %s is named twice", n.what, name)
		}
	}
	*n.target, n.given = list, true
	return nil
}

// Interval is a time from 0 to a day.
func Interval(target *time.Duration) Value { return interval{target} }

type interval struct{ target *time.Duration }

func (i interval) String() string { return i.target.String() }

func (i interval) Type() string { return "TIME" }

func (i interval) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil || value < 0 || value > 24*time.Hour {
		return errors.New("want a time from 0s to 24h, such as 30s or 2m")
	}
	*i.target = value
	return nil
}
