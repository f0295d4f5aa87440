package weights

import "bytes"

// readFormats are those of weights that are read.
const readFormats = "safetensors, a PyTorch state dict or a dictionary of NumPy"

// beginnings are those of files that aren't read, and what these are.
var beginnings = []struct{ magic, what string }{
	{"\x89HDF\r\n\x1a\n", "is an HDF5 file, as Keras writes them, which isn't read; load it in Python and save the arrays as safetensors"},
	{"MATLAB 5.0", "is a MATLAB file, as of MatConvNet, which isn't read; load it in Python and save the arrays as safetensors"},
	{"GGUF", "is a GGUF file of a language model, want " + readFormats},
	{"version https://git-lfs", "is a Git LFS pointer, not the file itself: fetch that with `git lfs pull`"},
	{"<!DOCTYPE", "is a web page: was the download answered by a login or an error?"},
	{"<!doctype", "is a web page: was the download answered by a login or an error?"},
	{"<html", "is a web page: was the download answered by a login or an error?"},
	{"<?xml", "is an XML file: was the download answered by an error?"},
	{"{", "is JSON text, want " + readFormats},
	{"\x89PNG", "is a PNG picture, want " + readFormats},
	{"\xff\xd8\xff", "is a JPEG picture, want " + readFormats},
	{"GIF8", "is a GIF picture, want " + readFormats},
	{"RIFF", "is a RIFF file, such as a WebP picture, want " + readFormats},
	{"\x1f\x8b", "is compressed by gzip: decompress it first"},
	{"BZh", "is compressed by bzip2: decompress it first"},
	{"\xfd7zXZ", "is compressed by xz: decompress it first"},
	{"7z\xbc\xaf", "is a 7-Zip archive: unpack it first"},
	{"sys_info\x00", "is in PyTorch's tar format from before 2017: load and save it with a newer PyTorch"},
	{"././@PaxHeader\x00", "is in PyTorch's tar format from before 2017: load and save it with a newer PyTorch"},
	{"\x80\x02", "is a Python pickle of another kind than PyTorch's state dicts"},
	{"\x80\x03", "is a Python pickle of another kind than PyTorch's state dicts"},
	{"\x80\x04", "is a Python pickle of another kind than PyTorch's state dicts"},
	{"\x80\x05", "is a Python pickle of another kind than PyTorch's state dicts"},
}

// otherFormat says what a file is that isn't read, by its first bytes; it is empty
// where that can't be told.
func otherFormat(head []byte) string {
	for _, b := range beginnings {
		if bytes.HasPrefix(head, []byte(b.magic)) {
			return b.what
		}
	}
	return ""
}
