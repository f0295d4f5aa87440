package flow

// vectors are a flow in sheets.
type vectors struct{ u, v sheet }

// scaling is by how much larger pictures of another size are.
type scaling struct{ across, down float32 }

func (f *vectors) scalingTo(to size) scaling {
	return scaling{float32(to.width) / float32(f.u.width), float32(to.height) / float32(f.u.height)}
}

// scaled is the flow at a point of the larger pictures: positions and displacements grow
// alike.
func (f *vectors) scaled(x, y float32, by scaling) (u, v float32) {
	x, y = (x+0.5)/by.across-0.5, (y+0.5)/by.down-0.5
	return f.u.at(x, y) * by.across, f.v.at(x, y) * by.down
}

// resize makes a row of the flow of pictures of another size.
func (f *vectors) resize(from *vectors, y int) {
	by := from.scalingTo(size{f.u.width, f.u.height})
	us, vs := f.u.row(y), f.v.row(y)
	for x := range us {
		us[x], vs[x] = from.scaled(float32(x), float32(y), by)
	}
}

// copyRow copies a row with its border.
func (f *vectors) copyRow(from *vectors, y int) {
	copy(f.u.from(-border, y)[:f.u.stride], from.u.from(-border, y))
	copy(f.v.from(-border, y)[:f.v.stride], from.v.from(-border, y))
}

// closeRow repeats a row's last displacement once, so that nothing changes beyond it.
func (f *vectors) closeRow(y int) {
	w := f.u.width
	f.u.from(w, y)[0], f.v.from(w, y)[0] = f.u.from(w-1, y)[0], f.v.from(w-1, y)[0]
}

// field is the flow without what surrounds it.
func (f *vectors) field() Field {
	to := NewField(f.u.width, f.u.height)
	for y := range f.u.height {
		copy(to.U[y*to.Width:], f.u.row(y))
		copy(to.V[y*to.Width:], f.v.row(y))
	}
	return to
}
