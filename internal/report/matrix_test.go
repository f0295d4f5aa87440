package report

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
)

// sampleGrid is a comparison by three settings, with a cell that failed and one that is
// missing, and a picture made elsewhere.
func sampleGrid() Comparison {
	c := sample()
	c.Pictures = nil
	hue := uint8(10)
	for _, loss := range []string{"gram", "gaussian"} {
		for _, smooth := range []string{"0", "2", "8"} {
			for _, content := range []string{"0.01", "0.05"} {
				if loss == "gaussian" && smooth == "8" && content == "0.05" {
					continue
				}
				p := Picture{
					Name: fmt.Sprintf("%s, tv-weight %s, content-weight %s", loss, smooth, content), Note: "60 iterations in 0.8s", Image: stripes(96, 64, hue),
					Settings: []Setting{{"loss", loss}, {"tv-weight", smooth}, {"content-weight", content}}, Iterations: 60, Seconds: 0.8, Loss: 0.1,
				}
				for i := range 50 {
					p.Curve = append(p.Curve, CurvePoint{Iteration: 1 + i, Seconds: 0.02 * float64(i), Value: 1 / float64(int(hue)+i)})
				}
				c.Pictures = append(c.Pictures, p)
				hue += 16
			}
		}
	}
	c.Pictures[3].Image, c.Pictures[3].Error = nil, "NaN"
	c.Pictures = append(c.Pictures, Picture{Name: "elsewhere", Image: stripes(96, 64, 250)})
	return c
}

func TestMatricesAreOfTheLastTwoSettings(t *testing.T) {
	matrices, others := sampleGrid().matrices()
	if len(matrices) != 2 || len(others) != 1 || others[0].Name != "elsewhere" {
		t.Fatalf("%d matrices and %d others, want 2 and the one from elsewhere", len(matrices), len(others))
	}
	for i, loss := range []string{"gram", "gaussian"} {
		m := matrices[i]
		if !slices.Equal(m.heading, []Setting{{"loss", loss}}) || m.rows.name != "tv-weight" || m.columns.name != "content-weight" {
			t.Errorf("matrix %d is of %v, %s by %s", i, m.heading, m.rows.name, m.columns.name)
		}
		for row, smooth := range []string{"0", "2", "8"} {
			for column, content := range []string{"0.01", "0.05"} {
				p, want := m.cells[row][column], fmt.Sprintf("%s, tv-weight %s, content-weight %s", loss, smooth, content)
				if p == nil && (loss != "gaussian" || smooth != "8" || content != "0.05") || p != nil && p.Name != want {
					t.Errorf("row %d, column %d has %v, want %s", row, column, p, want)
				}
			}
		}
	}
}

func TestOneSettingMakesNoMatrix(t *testing.T) {
	for name, settings := range map[string][][]Setting{
		"one setting":                       {{{"loss", "gram"}}, {{"loss", "mmd"}}},
		"a second one that has but a value": {{{"loss", "gram"}, {"seed", "1"}}, {{"loss", "mmd"}, {"seed", "1"}}},
		"none":                              {nil, nil},
	} {
		var c Comparison
		for _, s := range settings {
			c.Pictures = append(c.Pictures, Picture{Settings: s})
		}
		if matrices, others := c.matrices(); matrices != nil || len(others) != len(c.Pictures) {
			t.Errorf("%s: %d matrices, %d others", name, len(matrices), len(others))
		}
	}
}

func TestManyColumnsGoDown(t *testing.T) {
	var c Comparison
	for _, loss := range []string{"gram", "mmd"} {
		for i := range mostColumns + 1 {
			c.Pictures = append(c.Pictures, Picture{Settings: []Setting{{"loss", loss}, {"seed", fmt.Sprint(i)}}})
		}
	}
	if m, _ := c.matrices(); m[0].rows.name != "seed" || m[0].columns.name != "loss" || len(m[0].cells) != mostColumns+1 {
		t.Errorf("%s by %s, want seed by loss", m[0].rows.name, m[0].columns.name)
	}
}

// Rows and columns of a matrix stand in lines on the sheet.
func TestSheetHasMatricesInRowsAndColumns(t *testing.T) {
	c := sampleGrid()
	sheet, err := c.Sheet()
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]image.Point{}
	points := everyPixel(sheet)
	for _, p := range slices.Concat(c.References, c.Pictures) {
		if p.Image == nil {
			continue
		}
		at := slices.IndexFunc(points, func(at image.Point) bool { return shows(sheet, p.Image, at) })
		if at < 0 {
			t.Fatalf("%s is not on the sheet", p.Name)
		}
		places[p.Name] = points[at]
	}
	for name, at := range places {
		loss, rest, _ := strings.Cut(name, ", tv-weight ")
		row, column, ok := strings.Cut(rest, ", content-weight ")
		if !ok {
			continue
		}
		for other, there := range places {
			if !strings.HasPrefix(other, loss+", tv-weight ") {
				continue
			}
			if sameRow := strings.Contains(other, "tv-weight "+row+","); sameRow != (there.Y == at.Y) {
				t.Errorf("%s is at %v and %s at %v", name, at, other, there)
			}
			if sameColumn := strings.HasSuffix(other, " "+column); sameColumn != (there.X == at.X) {
				t.Errorf("%s is at %v and %s at %v", name, at, other, there)
			}
		}
	}
	if !slices.ContainsFunc(points, func(at image.Point) bool { return color.NRGBAModel.Convert(sheet.At(at.X, at.Y)) == warning }) {
		t.Error("the failure's message isn't on the sheet")
	}
}

func TestPageHasMatricesWithHeadings(t *testing.T) {
	text := pageOf(t, sampleGrid())
	for part, want := range map[string]int{
		`<table class="matrix">`: 2, `<th scope="row">8</th>`: 2, `<div class="head">0.05</div>`: 2, `colspan="2" scope="colgroup">content-weight</th>`: 2,
		"<h2>gaussian</h2>": 1, `alt="gram, tv-weight 8, content-weight 0.05"`: 1, "<td></td>": 3, // two corners, and the missing cell
	} {
		if got := strings.Count(text, part); got != want {
			t.Errorf("%q stands %d times, want %d", part, got, want)
		}
	}
}
