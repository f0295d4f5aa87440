package tiff

// Field is a field of a directory as it is written.
type Field struct {
	Tag, Kind int
	// Data are its values, little-endian, of Kind's size each.
	Data []byte
}

// count is how many values there are.
func (f Field) count() int { return len(f.Data) / KindSize(f.Kind) }

// KindSize is how many bytes a value of a field's kind has, 0 for kinds that aren't known.
func KindSize(kind int) int {
	if kind < 0 || kind >= len(kindSizes) {
		return 0
	}
	return kindSizes[kind]
}

// text is a field of characters.
func text(tag int, value string) Field { return Field{tag, asciiField, append([]byte(value), 0)} }

// Fields are those that EXIF has, by their directories: of the image, of the camera (the
// EXIF directory) and of the place (the GPS directory).
type Fields struct {
	Image, Camera, Place []Field
}

// Empty tells whether there are none.
func (f Fields) Empty() bool { return len(f.Image)+len(f.Camera)+len(f.Place) == 0 }

// Bytes is a TIFF file, little-endian, of fields alone, as EXIF data are.
func (f Fields) Bytes() []byte {
	d := &directoryWriter{}
	d.addAll(f)
	return d.bytes()
}
