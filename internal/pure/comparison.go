package pure

// Comparison is a loss between two summaries of features.
type Comparison interface {
	// Compare returns the loss and writes its gradient by the summary to
	// cotangent. Summary, target and cotangent have one length. It fails where
	// the loss is not defined, as for values that are not finite.
	Compare(cotangent, summary, target []float64) (float64, error)
	// String names the loss and all that its result depends on.
	String() string
}
