package colour

import "fmt"

// CodePoints say what values mean, by the tables of ITU-T H.273.
type CodePoints struct{ Primaries, Transfer int }

// primariesOf are the rows of table 2 that pictures have.
var primariesOf = map[int]Primaries{
	1:  SRGB,
	4:  {Chromaticity{0.310, 0.316}, Chromaticity{0.67, 0.33}, Chromaticity{0.21, 0.71}, Chromaticity{0.14, 0.08}},
	5:  {d65, Chromaticity{0.64, 0.33}, Chromaticity{0.29, 0.60}, Chromaticity{0.15, 0.06}},
	6:  {d65, Chromaticity{0.630, 0.340}, Chromaticity{0.310, 0.595}, Chromaticity{0.155, 0.070}},
	7:  {d65, Chromaticity{0.630, 0.340}, Chromaticity{0.310, 0.595}, Chromaticity{0.155, 0.070}},
	9:  {d65, Chromaticity{0.708, 0.292}, Chromaticity{0.170, 0.797}, Chromaticity{0.131, 0.046}},
	11: {Chromaticity{0.314, 0.351}, Chromaticity{0.680, 0.320}, Chromaticity{0.265, 0.690}, Chromaticity{0.150, 0.060}},
	12: {d65, Chromaticity{0.680, 0.320}, Chromaticity{0.265, 0.690}, Chromaticity{0.150, 0.060}},
}

// transfersOf are the rows of table 3 that aren't of high dynamic range. Pictures that
// claim the function of BT.709 or BT.2020 are seen as if it were sRGB's, which is near:
// they were made to look right so, and other programs show them so.
var transfersOf = map[int]curve{
	1: srgbCurve, 6: srgbCurve, 14: srgbCurve, 15: srgbCurve,
	4: {kind: 0, g: 2.2}, 5: {kind: 0, g: 2.8}, 8: identityCurve, 13: srgbCurve,
}

// Unspecified tells whether the code points leave it open what values mean.
func (c CodePoints) Unspecified() bool { return c.Primaries == 2 || c.Transfer == 2 }

// FromCodePoints is of RGB that is described by code points. Those of high dynamic
// range are an error, since they have more than sRGB can show.
func FromCodePoints(c CodePoints) (*Transform, error) {
	p, ok := primariesOf[c.Primaries]
	if !ok {
		return nil, fmt.Errorf("colour primaries %d of H.273 aren't known", c.Primaries)
	}
	q, ok := transfersOf[c.Transfer]
	switch {
	case c.Transfer == 16 || c.Transfer == 18:
		return nil, fmt.Errorf("the picture has a high dynamic range (transfer characteristics %d of H.273), which isn't read", c.Transfer)
	case !ok:
		return nil, fmt.Errorf("transfer characteristics %d of H.273 aren't known", c.Transfer)
	}
	return fromCurve(p, q)
}
