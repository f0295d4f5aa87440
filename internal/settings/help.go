package settings

import (
	"slices"
	"strings"

	"impasto/device"
	"impasto/losses"
	"impasto/model"
)

// alternatives lists names for a help text, as in "a, b (what it does) or c". Help
// gives the text in brackets, or nothing; or stands before the last name.
func alternatives(or string, names []string, help func(name string) string) string {
	all := slices.Clone(names)
	for i, name := range names {
		if text := help(name); text != "" {
			all[i] += " (" + text + ")"
		}
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + or + all[last]
}

// only gives the help of some names; the others explain themselves.
func only(help func(name string) string, names ...string) func(string) string {
	return func(name string) string {
		if !slices.Contains(names, name) {
			return ""
		}
		return help(name)
	}
}

func noHelp(string) string { return "" }

// qualityHelp is what a quality is for.
func qualityHelp(name string) string {
	i := slices.IndexFunc(model.Qualities, func(q model.Quality) bool { return q.Name == name })
	return model.Qualities[i].Help
}

func qualityUsage() string {
	return "how long to go on: " + alternatives(", or ", model.QualityNames(), only(qualityHelp, "draft", "reference")) +
		"; the next five flags override it"
}

// ColourMethodUsage describes the ways to keep colours.
func ColourMethodUsage() string {
	return alternatives(" or ", model.ColourMethods(), model.ColourMethodHelp)
}

func startUsage() string {
	help := func(name string) string { return model.Start(name).Help() }
	return "what to start from: " + alternatives(", or ", append(starts(), "a FILE", resultPrefix+"FILE"), func(name string) string {
		switch name {
		case string(model.StartFromStyle):
			return help(name)
		case resultPrefix + "FILE":
			return help(string(model.StartFromResult))
		}
		return ""
	})
}

func contentLossUsage() string {
	return alternatives(" or ", losses.ContentNames(), contentLossHelp) + "; both relative to the content's features"
}

// contentLossHelp is what a content loss computes.
func contentLossHelp(name string) string {
	form, err := losses.ContentNamed(name)
	if err != nil {
		return ""
	}
	return form.Help
}

func deviceUsage() string {
	several := device.Names[len(device.Names)-1]
	return deviceNames() + "; " + string(device.Auto) + " takes " + device.Names[0].Help + "; " + string(several.Name) + " are " + several.Help + "; see impasto devices"
}

// deviceNames are the forms of names that there are.
func deviceNames() string {
	var forms []string
	for _, row := range device.Names {
		forms = append(forms, string(row.Name))
	}
	return alternatives(" or ", forms, noHelp)
}

func precisionUsage() string {
	help, processor := map[string]string{string(device.AutoPrecision): "f16"}, []string{string(device.AutoPrecision) + " is bf16 where there is AMX and else f32"}
	unknown := ""
	for _, p := range device.Precisions {
		help[string(p.Name)] = p.Help
		switch {
		case !p.CPU:
			unknown = string(p.Name)
		case p.OnCPU != "":
			processor = append(processor, string(p.Name)+" "+p.OnCPU)
		}
	}
	onGPU := alternatives(" or ", device.PrecisionNames(), only(func(name string) string { return help[name] }, string(device.AutoPrecision), string(device.TensorFloat32)))
	return "what features are made of on a GPU: " + onGPU + "; on the processor " + strings.Join(processor, ", ") + ", and " + unknown + " isn't known"
}
