package compare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"impasto/internal/picture"
)

func TestAPictureThatCannotBeWrittenIsRescuedAndTheOthersAreMade(t *testing.T) {
	o := tiny(t, Dimension{"loss", []string{"gram", "moments"}})
	folder := filepath.Join(o.Folder, pictureFolder)
	c, _, err := watched(t, t.Context(), o, func(e Event) error {
		if e.Kind == Painting && e.Picture.Name == "gram" {
			return os.Mkdir(filepath.Join(folder, "gram.png"), 0o700)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rescued := filepath.Join(folder, "gram-rescued.png")
	if err := c.Failure(); err == nil || !strings.Contains(err.Error(), "1 of 2 pictures failed: gram (") || !strings.Contains(err.Error(), "the picture is in "+rescued) {
		t.Errorf("error %v, want that gram is in %s", err, rescued)
	}
	for _, path := range []string{rescued, filepath.Join(folder, "moments.png")} {
		if _, err := picture.Open(t.Context(), path); err != nil {
			t.Error(err)
		}
	}
}
