package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"impasto/internal/names"
)

// usageError is a command line that can't be carried out as it was written;
// the program exits with status 2.
type usageError struct {
	message string
}

func (e *usageError) Error() string { return e.message }

// usagef returns a usageError with a formatted message.
func usagef(format string, values ...any) error {
	return &usageError{fmt.Sprintf(format, values...)}
}

// usage makes a usage error of any other; nil stays nil.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err.Error()}
}

// errInterrupted marks the end of a command that the user stopped; the program
// exits with status 130.
var errInterrupted = errors.New("interrupted")

// flagError turns what pflag says about a flag into a usage error that names
// the flag as it is typed and what it wants.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		if letters := unknown.GetSpecifiedShortnames(); letters != "" {
			if letters == "V" {
				return usagef("unknown flag -V; did you mean --version?")
			}
			return usagef("unknown flag -%s in -%s; see `%s --help`", unknown.GetSpecifiedName(), letters, cmd.CommandPath())
		}
		if hint := foreignHint(cmd, unknown.GetSpecifiedName()); hint != "" {
			return usagef("unknown flag --%s: %s", unknown.GetSpecifiedName(), hint)
		}
		if hint := names.DidYouMean(flagSpelling(unknown.GetSpecifiedName()), flagNames(cmd), "--"); hint != "" {
			return usagef("unknown flag --%s%s", unknown.GetSpecifiedName(), hint)
		}
		return usagef("unknown flag --%s; see `%s --help`", unknown.GetSpecifiedName(), cmd.CommandPath())
	case errors.As(err, &missing):
		return usagef("--%s needs a value: %s", missing.GetFlag().Name, missing.GetFlag().Usage)
	case errors.As(err, &invalid):
		return usagef("--%s %q: %s", invalid.GetFlag().Name, invalid.GetValue(), wanted(invalid))
	default:
		return usagef("%s; see `%s --help`", err, cmd.CommandPath())
	}
}

// wanted says what a flag accepts, after it was given something else.
func wanted(invalid *pflag.InvalidValueError) string {
	if invalid.GetFlag().Value.Type() == "bool" {
		return "want true or false"
	}
	return invalid.Unwrap().Error()
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}
