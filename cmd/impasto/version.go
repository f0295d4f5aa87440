package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionInfo is what identifies a build.
type versionInfo struct {
	Version  string `json:"version"`  // the module's version, or "devel"
	Revision string `json:"revision"` // the commit, with "+changes" where the tree wasn't clean; may be empty
	Go       string `json:"go"`
	Platform string `json:"platform"` // operating system/architecture
}

func readVersion() versionInfo {
	v := versionInfo{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		v.Revision = revision[:min(12, len(revision))]
		if settings["vcs.modified"] == "true" {
			v.Revision += "+changes"
		}
	}
	return v
}

// buildVersion is the line that identifies a build to people.
func buildVersion() string {
	v := readVersion()
	line := "impasto " + v.Version
	if v.Revision != "" {
		line += " (" + v.Revision + ")"
	}
	return fmt.Sprintf("%s, %s, %s", line, v.Go, v.Platform)
}

func newVersionCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which build of impasto this is",
		Long: `Version prints the version, the commit it was built from, the Go release and
the platform. With --json it prints one object with the keys version, revision,
go and platform.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runVersion(*global, cmd.OutOrStdout())
		},
	}
}

func runVersion(global globalOptions, stdout io.Writer) error {
	if global.JSON {
		return printJSON(stdout, readVersion())
	}
	_, err := fmt.Fprintln(stdout, buildVersion())
	return err
}
