package studio

// colourOf are the colours of a loss.
func colourOf(string) lossColour { return lossColour{Light: "#2a48dc", Dark: "#6f83ff"} }
