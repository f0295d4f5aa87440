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
	content.add("content loss", contest, func(i int) float64 { return scored[i].Scores.Kept })
	for _, loss := range c.Losses {
		styles.add(loss, contest, func(i int) float64 { return valueOf(scored[i].Scores.Style, loss) })
		content.add(loss, contest, func(i int) float64 { return valueOf(scored[i].Scores.Content, loss) })
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
func (t *scoreTable) add(name string, contest []bool, value func(row int) float64) {
	t.Columns = append(t.Columns, name)
	values := make([]float64, len(t.Rows))
	least, most := math.Inf(1), math.Inf(-1)
	for i := range t.Rows {
		values[i] = value(i)
		if contest[i] && values[i] > 0 {
			least, most = min(least, values[i]), max(most, values[i])
		}
	}
	for i, text := range ScoreColumn(values) {
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
	var seconds, each, loss []float64
	for _, p := range c.Pictures {
		if p.Settings == nil {
			continue
		}
		run := pageRun{Name: p.Name, Iterations: unknown}
		for _, name := range varied {
			run.Values = append(run.Values, valueText(p.setting(name)))
		}
		if p.Iterations > 0 {
			run.Iterations = fmt.Sprint(p.Iterations)
			seconds, each, loss = append(seconds, p.Seconds), append(each, 1e3*p.Seconds/float64(p.Iterations)), append(loss, p.Loss)
		} else {
			seconds, each, loss = append(seconds, math.NaN()), append(each, math.NaN()), append(loss, math.NaN())
		}
		runs = append(runs, run)
	}
	secondTexts, eachTexts, lossTexts := column(seconds, 2, 0), column(each, 2, 0), column(loss, 4, 0)
	for i := range runs {
		runs[i].Seconds, runs[i].Each, runs[i].Loss = secondTexts[i], eachTexts[i], lossTexts[i]
	}
	return varied, runs
}
