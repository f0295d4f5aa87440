//go:build gpu && cgo && (linux || windows)

package cuda

import "impasto/cuda/kernels"

// sortTile is how many values a block of the sorting kernels takes.
const sortTile = 4096

// sortKeys returns where the keys of the values of lines will lie in order.
func (b *binder) sortKeys(lines pointer[float32], count, n int) pointer[uint32] {
	items := workspace[uint32](b, count*n)
	b.add(kernels.SortKeys(grid(blocks(n, sortTile), count, 1), items, lines, n))
	return sortItems(b, items, count, n, kernels.SortCount, kernels.SortScatter)
}

// sortPlaces returns where the values of lines will lie in order, with where they came
// from.
func (b *binder) sortPlaces(lines pointer[float32], count, n int) pointer[kernels.Place] {
	items := workspace[kernels.Place](b, count*n)
	b.add(kernels.SortPlaces(grid(blocks(n, sortTile), count, 1), items, lines, n))
	return b.sortedPlaces(items, count, n)
}

// sortedPlaces does the same with items that are there.
func (b *binder) sortedPlaces(items pointer[kernels.Place], count, n int) pointer[kernels.Place] {
	return sortItems(b, items, count, n, kernels.SortCountPlaces, kernels.SortScatterPlaces)
}

// sortItems returns where items will lie in order, sorted by the kernels for them.
func sortItems[Item any](b *binder, from pointer[Item], count, n int,
	countDigits func(shape kernels.Shape, counts pointer[uint32], items pointer[Item], shift, n int) launch,
	scatter func(shape kernels.Shape, to, items pointer[Item], counts pointer[uint32], shift, n int) launch,
) pointer[Item] {
	tiles := blocks(n, sortTile)
	to, counts := workspace[Item](b, count*n), workspace[uint32](b, count*256*tiles)
	all := grid(tiles, count, 1)
	for shift := 0; shift < 32; shift += 8 {
		b.add(
			countDigits(all, counts, from, shift, n),
			kernels.SortScan(grid(count, 1, 1), counts, tiles),
			scatter(all, to, from, counts, shift, n))
		from, to = to, from
	}
	return from
}
