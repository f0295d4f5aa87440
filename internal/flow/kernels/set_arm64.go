package kernels

var sets = map[string]*Set{
	"neon": {"neon", centralNEON, anchorNEON, smoothnessNEON, edgesNEON, weighNEON, relaxNEON, mergeNEON, momentsNEON, compareNEON, spreadNEON, normalizeNEON},
}
