package pairwise

var isas = map[string]*isa{
	"go":     &isaGo,
	"avx2":   {8, 4, sumAVX2, sumMixtureAVX2, exponentialsAVX2, slopesAVX2, greatestAVX2, accumulateAVX2},
	"avx512": &isaAVX512,
	"amx":    &isaAVX512, // which has products of bfloat16 besides
}

var isaAVX512 = isa{16, 8, sumAVX512, sumMixtureAVX512, exponentialsAVX512, slopesAVX512, greatestAVX512, accumulateAVX512}
