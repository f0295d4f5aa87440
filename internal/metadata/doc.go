// Package metadata is what a picture says of how it was made: a JSON document of one
// schema, which stands in the picture's file. docs/metadata.md describes it field by field.
//
// A document that is read may come from anyone. Decode refuses what Encode wouldn't write,
// and hands on settings as text only: whoever uses them has to check them as a command
// line's.
package metadata
