package report

import "slices"

// matrix is pictures by two settings.
type matrix struct {
	heading       []Setting // what else varies, the same for all of it
	rows, columns dimension
	cells         [][]*Picture // nil where there is none
}

// dimension is a setting that varies and its values, in their order.
type dimension struct {
	name   string
	values []string
}

// mostColumns is how many columns a matrix has before the longer dimension goes
// down.
const mostColumns = 6

// dimensionsOf are the settings that vary between pictures.
func dimensionsOf(pictures []Picture) []dimension {
	var dimensions []dimension
	for _, p := range pictures {
		for _, s := range p.Settings {
			at := slices.IndexFunc(dimensions, func(d dimension) bool { return d.name == s.Name })
			if at < 0 {
				at = len(dimensions)
				dimensions = append(dimensions, dimension{name: s.Name})
			}
			if !slices.Contains(dimensions[at].values, s.Value) {
				dimensions[at].values = append(dimensions[at].values, s.Value)
			}
		}
	}
	return dimensions
}

// matrices arranges the pictures by the last two settings that have several
// values, a matrix for all others. Where there aren't two such settings there is no
// matrix. Others are the pictures that stand in none.
func (c Comparison) matrices() (matrices []matrix, others []Picture) {
	var several []dimension
	for _, d := range dimensionsOf(c.Pictures) {
		if len(d.values) > 1 {
			several = append(several, d)
		}
	}
	if len(several) < 2 {
		return nil, c.Pictures
	}
	rows, columns := several[len(several)-2], several[len(several)-1]
	if len(columns.values) > mostColumns && len(rows.values) < len(columns.values) {
		rows, columns = columns, rows
	}
	for i := range c.Pictures {
		p := &c.Pictures[i]
		if len(p.Settings) == 0 {
			others = append(others, *p)
			continue
		}
		row, column := slices.Index(rows.values, p.setting(rows.name)), slices.Index(columns.values, p.setting(columns.name))
		if row < 0 || column < 0 {
			others = append(others, *p)
			continue
		}
		heading := slices.DeleteFunc(slices.Clone(p.Settings), func(s Setting) bool { return s.Name == rows.name || s.Name == columns.name })
		at := slices.IndexFunc(matrices, func(m matrix) bool { return slices.Equal(m.heading, heading) })
		if at < 0 {
			at = len(matrices)
			m := matrix{heading: heading, rows: rows, columns: columns}
			for range rows.values {
				m.cells = append(m.cells, make([]*Picture, len(columns.values)))
			}
			matrices = append(matrices, m)
		}
		matrices[at].cells[row][column] = p
	}
	return matrices, others
}

// setting is the value of a setting, or "".
func (p Picture) setting(name string) string {
	for _, s := range p.Settings {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

// settingText writes settings for people: the loss by itself, others by name.
func settingText(settings []Setting) []string {
	var texts []string
	for _, s := range settings {
		if s.Name == "loss" {
			texts = append(texts, valueText(s.Value))
		} else {
			texts = append(texts, s.Name+" "+valueText(s.Value))
		}
	}
	return texts
}

// valueText writes a value that may be empty.
func valueText(value string) string {
	if value == "" {
		return "none"
	}
	return value
}
