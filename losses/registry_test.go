package losses_test

import (
	"slices"
	"strings"
	"testing"

	"impasto/losses"
)

func TestLossesAreInAlphabeticalOrderAndUsableWhereTimeIsNotOfAllPairs(t *testing.T) {
	names := losses.Names()
	if !slices.IsSorted(names) || losses.CheckNames(losses.All()) != nil {
		t.Errorf("names are %v", names)
	}
	usable := losses.NamesOf(losses.Usable())
	if want := slices.DeleteFunc(names, func(name string) bool { return name == "sinkhorn-whole" }); !slices.Equal(usable, want) {
		t.Errorf("usable are %v, want %v", usable, want)
	}
}

// nameless is a loss whose description is empty.
type nameless struct{ losses.Loss }

func (nameless) Description() losses.Description { return losses.Description{} }

func TestLossesThatCannotBeToldApartAreRefused(t *testing.T) {
	gram, cmd := losses.Must(losses.Named("gram")), losses.Must(losses.Named("cmd"))
	for want, list := range map[string][]losses.Loss{
		"loss 2 of 2 is nil":          {gram, nil},
		"loss 1 of 2 has no name":     {nameless{}, gram},
		"two losses are named gram":   {gram, cmd, gram},
		"two losses are named gram, ": {gram, alias{"gram"}},
	} {
		if err := losses.CheckNames(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if err := losses.CheckNames([]losses.Loss{gram, cmd}); err != nil {
		t.Error(err)
	}
}

// alias is another loss by the name of one that there is.
type alias struct{ name string }

func (a alias) Description() losses.Description { return losses.Description{Name: a.name} }
func (alias) Plain() losses.Form                { return losses.Form{} }
func (alias) Normalised() losses.Form           { return losses.Form{} }

func TestMustPanicsOnWhatThereIsNot(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("there is a loss grm")
		}
	}()
	losses.Must(losses.Named("grm"))
}
