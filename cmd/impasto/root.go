package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/internal/names"
)

// globalOptions are the settings that every command understands.
type globalOptions struct {
	JSON  bool // results as one JSON object a line on standard output
	Quiet bool // nothing on standard error but errors
	// Verbose adds what the machine is, how much memory it takes, and what slows it down.
	Verbose bool
}

func (o *globalOptions) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.JSON, "json", false, "print results as JSON, one object a line, on standard output")
	flags.BoolVarP(&o.Quiet, "quiet", "q", false, "print no progress and no summary, only errors")
	flags.BoolVarP(&o.Verbose, "verbose", "v", false, "tell also where the work is done, how much memory it takes, and what makes it slow")
}

// newRootCommand builds the whole command line. Nothing in it is shared between
// two calls.
func newRootCommand() *cobra.Command {
	var global globalOptions
	root := &cobra.Command{
		Use:   "impasto",
		Short: "Paint a picture in the style of others",
		Long: `Impasto paints one picture in the style of others: it changes the picture's
pixels, step by step, until the features that the network VGG-19 sees in it are
distributed as they are in the style pictures, while it still shows what the
content picture shows. The network is inside the program; nothing else is
needed.`,
		Example: `  impasto stylize photo.jpg painting.jpg -o painted.png
  impasto measure painted.png painting.jpg`,
		Version:       buildVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	global.addFlags(root.PersistentFlags())
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(printHelp)
	root.AddCommand(
		newStylizeCommand(&global),
		newStudioCommand(&global),
		newBatchCommand(&global),
		newVideoCommand(&global),
		newWorkerCommand(&global),
		newJobsCommand(&global),
		newClusterCommand(&global),
		newPlanCommand(&global),
		newRedoCommand(&global),
		newInfoCommand(&global),
		newCompareCommand(&global),
		newMeasureCommand(&global),
		newRecolorCommand(&global),
		newMasksCommand(&global),
		newFeaturesCommand(&global),
		newBenchCommand(&global),
		newPresetsCommand(&global),
		newDevicesCommand(&global),
		newTheoryCommand(&global),
		newWeightsCommand(&global),
		newVersionCommand(&global),
		newManCommand(),
	)
	root.SetHelpCommand(newHelpCommand(root))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	tidy(root)
	return root
}

// tidy gives a command and all below it what they have in common: a command
// that only groups others explains itself or names the nearest one, and wrong
// arguments are usage errors.
func tidy(cmd *cobra.Command) {
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			if asked, err := cmd.Flags().GetBool("verbose"); err == nil && asked && !cmd.HasParent() {
				// A bare -v asks other programs for their version.
				_, err := fmt.Fprintln(cmd.OutOrStdout(), cmd.Version)
				return err
			}
			return cmd.Help()
		}
	}
	cmd.Version = cmd.Root().Version
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%s: %s; see `%s --help`", cmd.Name(), err, cmd.CommandPath())
			}
			return nil
		}
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	for name, usage := range map[string]string{"help": "print this help", "version": "print the version"} {
		if flag := cmd.Flags().Lookup(name); flag != nil {
			flag.Usage = usage
		}
	}
	for _, child := range cmd.Commands() {
		tidy(child)
	}
}

func unknownCommand(parent *cobra.Command, name string) error {
	var commands []string
	for _, child := range parent.Commands() {
		if child.IsAvailableCommand() {
			commands = append(commands, child.Name())
		}
	}
	if hint := names.DidYouMean(name, commands, parent.CommandPath()+" "); hint != "" {
		return usagef("unknown command %q of %s%s", name, parent.CommandPath(), hint)
	}
	return usagef("unknown command %q of %s; want one of %s", name, parent.CommandPath(), strings.Join(commands, ", "))
}

func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "Explain a command",
		ValidArgsFunction: subcommands,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd, rest[0])
			}
			return cmd.Help()
		},
	}
}
