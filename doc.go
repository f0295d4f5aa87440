// Package impasto paints a picture in the style of others. It has licences but no code; its
// packages do the work, and the program in cmd/impasto is made of them:
//
//   - model stylises pictures, measures and scores them, and gives their features.
//     Start here.
//   - losses has the style losses, and makes losses of your own functions.
//   - device names what pictures are made on, and in which precision.
//   - vgg19 is the network as a Gorgonia graph, and the table of its layers.
//   - weights reads the network's parameters from files; the default is embedded.
//
// A picture in five lines, content and style being images of any kind:
//
//	o := model.DefaultOptions()
//	o.Size = 768
//	result, err := model.Stylize(ctx, content, []model.Style{{Image: style, Weight: 1}}, o)
//	if err == nil {
//		err = png.Encode(file, result.Image)
//	}
//
// docs/library.md makes a module that imports these packages and has a loss of its own,
// docs/extending.md tells how to add to impasto itself, and docs/architecture.md how it
// works.
package impasto
