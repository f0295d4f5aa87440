package pairwise

var paths = map[string]*path{
	"go": &goPath,
	"avx2": {
		lanes:        8,
		rows:         4,
		sum:          sumAVX2,
		sumMixture:   sumMixtureAVX2,
		exponentials: exponentialsAVX2,
		slopes:       slopesAVX2,
		greatest:     greatestAVX2,
		accumulate:   accumulateAVX2,
	},
	"avx512": {
		lanes:        16,
		rows:         8,
		sum:          sumAVX512,
		sumMixture:   sumMixtureAVX512,
		exponentials: exponentialsAVX512,
		slopes:       slopesAVX512,
		greatest:     greatestAVX512,
		accumulate:   accumulateAVX512,
	},
}
