package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	legal "impasto"
	"impasto/internal/made"
	"impasto/internal/settings"
)

// versionInfo is what identifies a build.
type versionInfo struct {
	Version  string `json:"version"`  // the module's version, or "devel"
	Revision string `json:"revision"` // the commit, with "+changes" where the tree wasn't clean; may be empty
	Go       string `json:"go"`
	Platform string `json:"platform"` // operating system/architecture
}

func readVersion() versionInfo { return versionInfo(made.Program()) }

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
	o := new(versionOptions)
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which build of impasto this is, and print its licences",
		Long: `Version prints the version, the commit it was built from, the Go release and
the platform. With --json it prints one object with the keys version, revision,
go and platform.

With --licenses it prints the program's licence and those of all that is in it: the
network's weights, the modules it is built of, and their fonts. With --json as well
that is one object with the key licenses.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runVersion(*o, *global, cmd.OutOrStdout())
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

// versionOptions are the settings of impasto version.
type versionOptions struct{ Licenses bool }

func (o *versionOptions) addFlags(f flagSet) {
	f.add(settings.Switch(&o.Licenses), "licenses", "", "print the licences of the program and of all that is in it")
}

func runVersion(o versionOptions, global globalOptions, stdout io.Writer) error {
	if o.Licenses {
		licenses := legal.License + "\n\n" + legal.Notice
		if global.JSON {
			return printJSON(stdout, map[string]string{"licenses": licenses})
		}
		_, err := io.WriteString(stdout, licenses)
		return err
	}
	if global.JSON {
		return printJSON(stdout, readVersion())
	}
	_, err := fmt.Fprintln(stdout, buildVersion())
	return err
}
