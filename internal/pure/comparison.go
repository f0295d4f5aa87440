package pure

// Comparison is a loss between two summaries of features.
type Comparison interface {
	// Compare returns the loss and writes its gradient by the summary to
	// cotangent. Summary, target and cotangent have one length;
	// a loss whose summary is of both sides takes no target. It fails where
	// the loss is not defined, as for values that are not finite.
	Compare(cotangent, summary, target []float64) (float64, error)
}
