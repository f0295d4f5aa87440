package kernels

var sets = map[string]*Set{
	"avx2":   {"avx2", centralAVX2, anchorAVX2, smoothnessAVX2, edgesAVX2, weighAVX2, relaxAVX2, mergeAVX2, momentsAVX2, compareAVX2, spreadAVX2, normalizeAVX2},
	"avx512": &setAVX512,
	"amx":    &setAVX512, // which has products of bfloat16 besides
}

// setAVX512 has AVX2's loops over patches, whose rows are one vector of that.
var setAVX512 = Set{"avx512", centralAVX512, anchorAVX512, smoothnessAVX512, edgesAVX512, weighAVX512, relaxAVX512, mergeAVX512, momentsAVX2, compareAVX2, spreadAVX2, normalizeAVX512}
