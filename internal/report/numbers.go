package report

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unknown stands for a number that isn't known.
const unknown = "–"

// scoreZero is what a score has to reach to be told from 0.
const scoreZero = 1e-4

// ScoreColumn writes the scores of a column of a table: three digits of the least,
// and as many decimals for all, so that points align. What is as good as zero is
// 0.000, and NaN, a score that isn't known, a dash.
func ScoreColumn(scores []float64) []string { return column(scores, 3, scoreZero) }

// SpreadColumn is a ScoreColumn of means with standard deviations, as in 0.120 ± 0.004;
// where a deviation is NaN, the score stands alone.
func SpreadColumn(means, deviations []float64) []string {
	return withDeviations(ScoreColumn(means), deviations)
}

// withDeviations appends deviations to the numbers of a column, with as many decimals as
// these have, and spaces where there is none, so that points align.
func withDeviations(texts []string, deviations []float64) []string {
	appended, width := make([]string, len(texts)), 0
	for i, d := range deviations {
		if texts[i] == unknown || math.IsNaN(d) {
			continue
		}
		format, decimals := byte('f'), 0
		number, _, scientific := strings.Cut(texts[i], "e")
		if scientific {
			format = 'e'
		}
		if _, after, ok := strings.Cut(number, "."); ok {
			decimals = len(after)
		}
		appended[i] = " ± " + strconv.FormatFloat(d, format, decimals, 64)
		width = max(width, utf8.RuneCountInString(appended[i]))
	}
	all := make([]string, len(texts))
	for i := range texts {
		all[i] = texts[i] + appended[i] + strings.Repeat(" ", width-utf8.RuneCountInString(appended[i]))
	}
	return all
}

// column writes numbers with the same count of decimals: as many as show so many
// significant digits of the least of them that isn't below zero, but no more than
// two further ones of the greatest. NaN is a dash.
func column(values []float64, digits int, zero float64) []string {
	least, greatest := math.Inf(1), 0.0
	for _, v := range values {
		if v = math.Abs(v); v >= zero && v > 0 && !math.IsInf(v, 1) {
			least, greatest = min(least, v), max(greatest, v)
		}
	}
	format, decimals := byte('f'), digits
	if greatest > 0 {
		decimals = max(0, min(digits-1-exponent(least), digits+1-exponent(greatest)))
		if greatest >= 1e7 || greatest < 1e-7 {
			format, decimals = 'e', digits-1
		}
	}
	texts := make([]string, len(values))
	for i, v := range values {
		switch {
		case math.IsNaN(v):
			texts[i] = unknown
			continue
		case math.Abs(v) < zero:
			v = 0
		}
		texts[i] = strconv.FormatFloat(v, format, decimals, 64)
	}
	return texts
}

// exponent is the power of ten of a number's first digit.
func exponent(v float64) int { return int(math.Floor(math.Log10(v))) }

// PointColumn writes the numbers of a column that spans many powers of ten: so
// many significant digits of each, padded with spaces so that points align, or all
// with exponents where some would be long without. NaN is a dash.
func PointColumn(values []float64, digits int) []string {
	format := byte('f')
	for _, v := range values {
		if v = math.Abs(v); v >= 1e6 || v > 0 && v < 1e-4 {
			format = 'e'
		}
	}
	texts, after := make([]string, len(values)), make([]int, len(values))
	most := 0
	for i, v := range values {
		texts[i] = significant(v, digits, format)
		if point := strings.IndexByte(texts[i], '.'); point >= 0 {
			after[i] = len(texts[i]) - point
		}
		most = max(most, after[i])
	}
	for i := range texts {
		texts[i] += strings.Repeat(" ", most-after[i])
	}
	return texts
}

// significant writes so many digits of a number, zeros at the end too.
func significant(v float64, digits int, format byte) string {
	scientific := strconv.FormatFloat(v, 'e', digits-1, 64)
	rounded, err := strconv.ParseFloat(scientific, 64)
	switch {
	case math.IsNaN(v):
		return unknown
	case v == 0:
		return "0"
	case format == 'e' || err != nil || math.IsInf(v, 0):
		return scientific
	}
	return strconv.FormatFloat(v, 'f', max(0, digits-1-exponent(math.Abs(rounded))), 64)
}
