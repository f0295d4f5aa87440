package report

import (
	"fmt"
	"math"
	"slices"
)

type scoreTable struct {
	Title   string
	Columns []string
	Rows    []scoreRow
}

type scoreRow struct {
	Name  string
	Cells []scoreCell
}

type scoreCell struct {
	Text  string
	Best  bool
	Shade int // 0 to 4
}

type pageRun struct {
	Name                            string
	Values                          []string
	Iterations, Seconds, Each, Loss string
}

// scoreTables are the distances from the styles and from the content; none where
// nothing was scored.
func (c Comparison) scoreTables() []scoreTable {
	scored := slices.DeleteFunc(slices.Concat(c.References, c.Pictures), func(p Picture) bool { return p.Scores == nil })
	if len(scored) == 0 {
		return nil
	}
	contest := make([]bool, len(scored))
	styles, content := scoreTable{Title: "Distance from the styles"}, scoreTable{Title: "Distance from the content"}
	for i, p := range scored {
		contest[i] = p.Error == "" && !slices.ContainsFunc(c.References, func(r Picture) bool { return r.Name == p.Name })
		styles.Rows, content.Rows = append(styles.Rows, scoreRow{Name: p.Name}), append(content.Rows, scoreRow{Name: p.Name})
	}
	of := func(value func(s Scores) float64) (means, deviations func(i int) float64) {
		return func(i int) float64 { return value(*scored[i].Scores) }, func(i int) float64 {
			if d := scored[i].Deviations; d != nil {
				return value(d.Scores)
			}
			return math.NaN()
		}
	}
	add := func(t *scoreTable, name string, value func(s Scores) float64) {
		means, deviations := of(value)
		t.add(name, contest, means, deviations)
	}
	add(&content, "content loss", func(s Scores) float64 { return s.Kept })
	for _, loss := range c.Losses {
		add(&styles, loss, func(s Scores) float64 { return valueOf(s.Style, loss) })
		add(&content, loss, func(s Scores) float64 { return valueOf(s.Content, loss) })
	}
	return []scoreTable{styles, content}
}

func valueOf(scores map[string]float64, loss string) float64 {
	if value, ok := scores[loss]; ok {
		return value
	}
	return math.NaN()
}

// add adds a column and marks its values: the least in the contest is the best,
// and shades fall off with the distance from it on a scale of ratios.
func (t *scoreTable) add(name string, contest []bool, value, deviation func(row int) float64) {
	t.Columns = append(t.Columns, name)
	values, deviations := make([]float64, len(t.Rows)), make([]float64, len(t.Rows))
	least, most := math.Inf(1), math.Inf(-1)
	for i := range t.Rows {
		values[i], deviations[i] = value(i), deviation(i)
		if contest[i] && values[i] > 0 {
			least, most = min(least, values[i]), max(most, values[i])
		}
	}
	for i, text := range SpreadColumn(values, deviations) {
		cell := scoreCell{Text: text}
		if v := values[i]; contest[i] && v > 0 && most > least {
			cell.Best = v == least
			cell.Shade = int(math.Round(4 * (1 - math.Log(v/least)/math.Log(most/least))))
		}
		t.Rows[i].Cells = append(t.Rows[i].Cells, cell)
	}
}

// runs are the rows of times and settings, of the pictures that were made here,
// and the names of the settings that differ.
func (c Comparison) runs() (varied []string, runs []pageRun) {
	for _, d := range dimensionsOf(c.Pictures) {
		varied = append(varied, d.name)
	}
	var iterations []float64
	var seconds, each, loss spreads
	for _, p := range c.Pictures {
		if p.Settings == nil {
			continue
		}
		run := pageRun{Name: p.Name}
		for _, name := range varied {
			run.Values = append(run.Values, valueText(p.setting(name)))
		}
		if p.Iterations > 0 {
			d := Deviations{Seconds: math.NaN(), Loss: math.NaN()}
			if p.Deviations != nil {
				d = *p.Deviations
			}
			iterations = append(iterations, p.Iterations)
			seconds.add(p.Seconds, d.Seconds)
			each.add(1e3*p.Seconds/p.Iterations, math.NaN())
			loss.add(p.Loss, d.Loss)
		} else {
			iterations = append(iterations, math.NaN())
			for _, column := range []*spreads{&seconds, &each, &loss} {
				column.add(math.NaN(), math.NaN())
			}
		}
		runs = append(runs, run)
	}
	iterationTexts, secondTexts, eachTexts, lossTexts := counts(iterations), seconds.texts(2), each.texts(2), loss.texts(4)
	for i := range runs {
		runs[i].Iterations, runs[i].Seconds, runs[i].Each, runs[i].Loss = iterationTexts[i], secondTexts[i], eachTexts[i], lossTexts[i]
	}
	return varied, runs
}

// spreads are means with their deviations, NaN where there is none.
type spreads struct{ means, deviations []float64 }

func (s *spreads) add(mean, deviation float64) {
	s.means, s.deviations = append(s.means, mean), append(s.deviations, deviation)
}

// texts writes them with so many digits of the least.
func (s spreads) texts(digits int) []string {
	return withDeviations(column(s.means, digits, 0), s.deviations)
}

// counts writes numbers of things, with a decimal where they are means that need it.
func counts(values []float64) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		switch {
		case math.IsNaN(v):
			texts[i] = unknown
		case v == math.Trunc(v):
			texts[i] = fmt.Sprintf("%.0f", v)
		default:
			texts[i] = fmt.Sprintf("%.1f", v)
		}
	}
	return texts
}
