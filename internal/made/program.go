package made

import (
	"runtime"
	"runtime/debug"

	"impasto/internal/metadata"
)

// Program identifies the build that runs: the module's version, or "devel"; the commit, with
// "+changes" where the tree wasn't clean, or nothing; the Go release and the platform.
func Program() metadata.Program {
	p := metadata.Program{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return p
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		p.Version = info.Main.Version
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		p.Revision = revision[:min(12, len(revision))]
		if settings["vcs.modified"] == "true" {
			p.Revision += "+changes"
		}
	}
	return p
}
