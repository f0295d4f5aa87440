package flow

import "impasto/internal/panics"

// inStripes calls f with numbers from 0 on, on so many threads as the options say.
func (e *Estimator) inStripes(stripes int, f func(stripe int)) {
	threads := max(min(e.options.Threads, stripes), 1)
	_ = panics.Together(threads, func(thread int) error { // none of which fails
		for stripe := thread; stripe < stripes; stripe += threads {
			f(stripe)
		}
		return nil
	})
}

// inRows calls f with every row of a height, on several threads.
func (e *Estimator) inRows(height int, f func(y int)) {
	bands := bandsOf(height, leastBand)
	e.inStripes(len(bands), func(i int) {
		for y := bands[i].first; y < bands[i].end; y++ {
			f(y)
		}
	})
}

// leastBand is how many rows are worth a thread's while.
const leastBand = 32

// band are rows from first to before end.
type band struct{ first, end int }

// bandsOf divides a height into bands of at least so many rows, or into one.
func bandsOf(height, least int) []band {
	all := make([]band, max(height/least, 1))
	for i := range all {
		all[i] = band{i * height / len(all), (i + 1) * height / len(all)}
	}
	return all
}
