package settings

// oneScale is a size of the first scale that makes it the only one, whatever the last is.
const oneScale = "16384"

// Lines that several presets have in common.
const (
	gramConverted = "Its Gram loss is a sum of squares, ours is divided by the sum of the differences and by the style's mean square, so it pulls on as strongly near the end."
	layersFitted  = "Weights of layers and content were converted so that a finished picture pulls alike under both, at 192 pixels, for two photographs in the styles of The Starry Night and the Great Wave; other pictures would give somewhat others."
	boundedPixels = "Pixels stay within black and white during the descent, there they are clipped at its end."
	fewerPairs    = "L-BFGS goes by the last 5 of its steps, there by 100."
)

// originals are the presets of papers and programs.
//
// A weight of theirs counts a loss as they have it, one of ours a loss divided by the
// size of what it is compared with (docs/architecture.md, "Normalised weights"). So a
// weight is multiplied by that size, which depends on the pictures: the geometric mean
// over a few photographs and paintings, measured with the embedded network. Gram losses
// differ in form too; there the sizes are those at the end of a descent, by running one,
// converting anew and so on until the weights stay.
var originals = []Preset{
	{
		Name: "gatys", Help: "Gatys, Ecker and Bethge 2016: Gram matrices and average pooling, from noise at one scale",
		Source: "L. Gatys, A. Ecker, M. Bethge, “Image Style Transfer Using Convolutional Neural Networks”, 2016; iterations from github.com/leongatys/PytorchNeuralStyleTransfer",
		Settings: []Assignment{
			{"min-size", oneScale}, {"loss", "gram"},
			{"style-layers", "relu1_1=0.03,relu2_1=0.04,relu3_1=0.1,relu4_1=0.13,relu5_1=0.7"},
			{"content-weight", "0.12"}, {"content-loss", "mse"}, {"tv-weight", "0"},
			{"first-iterations", "500"}, {"iterations", "500"}, {"start", "noise"},
			{"pooling", "avg"}, {"padding", "zero"}, {"plain-pooling", "true"},
		},
		Deviations: []string{
			"The paper's network is scaled so that every filter has a mean activation of 1 over ImageNet. Ours isn't, so filters that seldom respond count less; the weights of the layers, equal in the paper, were converted by the mean activations in five pictures.",
			gramConverted,
			layersFitted,
			"The paper's content weight can't be converted: taken as written, 1/1000 of the style's beside sums over all positions, content outweighs style by far. This one is that of the preset johnson.",
			fewerPairs,
			boundedPixels,
		},
	},
	{
		Name: "johnson", Help: "Johnson's neural-style: Gram matrices, from grey at one scale",
		Source: "the defaults of neural_style.lua, github.com/jcjohnson/neural-style",
		Settings: []Assignment{
			{"min-size", oneScale}, {"loss", "gram"},
			{"style-layers", "relu1_1=0.0002,relu2_1=0.02,relu3_1=0.027,relu4_1=0.95,relu5_1=0.0012"},
			{"content-weight", "0.12"}, {"content-loss", "mse"}, {"tv-weight", "0.8"},
			{"first-iterations", "1000"}, {"iterations", "1000"}, {"start", "grey"},
			{"padding", "zero"},
		},
		Deviations: []string{
			"It gives all five layers the same weight, but divides by the fourth power of their channels and not by the size of their activations, so relu4_1 makes nearly all of the loss; these weights say so.",
			gramConverted,
			layersFitted,
			"Its total variation is a sum over pixels where the other terms are means, so it counts more in larger pictures; this weight is that at 512×384 pixels.",
			"It starts from noise that is a thousandth of a grey level wide, on ImageNet's mean colour; here from grey with noise of one level.",
			fewerPairs,
			boundedPixels,
		},
	},
	{
		Name: "neural-style-pt", Help: "neural-style-pt: as johnson, with a total variation of absolute differences",
		Source: "the defaults of neural_style.py, github.com/ProGamerGov/neural-style-pt",
		Settings: []Assignment{
			{"min-size", oneScale}, {"loss", "gram"},
			{"style-layers", "relu1_1=0.0002,relu2_1=0.02,relu3_1=0.027,relu4_1=0.95,relu5_1=0.0012"},
			{"content-weight", "0.12"}, {"content-loss", "mse"}, {"tv-weight", "0.08"},
			{"first-iterations", "1000"}, {"iterations", "1000"}, {"start", "grey"},
			{"padding", "zero"},
		},
		Deviations: []string{
			"Its total variation sums absolute differences of neighbours, ours is of squared ones; the weight has the same pull where neighbours differ by 4 % of the range from black to white.",
			"The rest is as in johnson, whose defaults it has: see there.",
		},
	},
	{
		Name: "crowsonkb", Help: "style-transfer-pytorch: the Wasserstein distance between Gaussians, by Adam with averaging",
		Source: "the defaults of style_transfer.py, github.com/crowsonkb/style-transfer-pytorch",
		Settings: []Assignment{
			{"style-layers", "relu1_1=6,relu2_1=37,relu3_1=16,relu4_1=41,relu5_1=0.2"},
			{"content-weight", "0.18"}, {"content-loss", "mse"}, {"tv-weight", "5"},
			{"quality", "reference"}, {"noise", "0"},
		},
		Deviations: []string{
			"Its network is torchvision's, the embedded one is that of the VGG-19 paper's authors, whose activations are of other sizes by layer; the weights, 256, 64, 16, 4 and 1 there, were converted by the sizes in the embedded one.",
			"Its total variation counts 2 beside losses in units of activations, which can't be converted between the two networks; this one was chosen by eye.",
			"Its Adam forgets squares of gradients by 0.99, ours by 0.999.",
			"Covariances have a ridge of 1/10000 of their mean variance here, there of 1/10000 in units of its network's activations.",
			"It resizes pictures by a bicubic filter, here by Lanczos' one.",
			"Its earlier versions compared Gram matrices, divided by the sum of differences as ours are: add --loss gram.",
		},
	},
	{
		Name: "vincemarron", Help: "Marron's “Style Transfer as Optimal Transport”: the Wasserstein distance alone, from the content",
		Source: "the defaults of basic_styletrans.py, github.com/VinceMarron/style_transfer",
		Settings: []Assignment{
			{"min-size", oneScale},
			{"style-layers", "conv1_2=1,conv2_2=6,conv3_2=4.4,conv3_4=27,conv4_2=56,conv4_4=15"},
			{"content-weight", "0"}, {"tv-weight", "0"},
			{"first-iterations", "50"}, {"iterations", "50"}, {"noise", "0"},
			{"pooling", "avg"}, {"padding", "zero"}, {"plain-pooling", "true"},
		},
		Deviations: []string{
			"Its layers count the same in units of activations; the weights are their energies, channels times mean square, in three paintings of 256 pixels.",
			"Pictures there are of the size that they have as files; here --size says.",
			"As there, nothing but the start holds the content; at 192 pixels 50 iterations leave little of it.",
			"Covariances get a ridge of 1/10000 of their mean variance here, and none there.",
			"L-BFGS goes by the last 5 of its steps, there by 10.",
		},
	},
	{
		Name: "strotss", Help: "Kolkin, Salavon and Shakhnarovich 2019 (STROTSS): relaxed optimal transport, as far as it goes",
		Source: "N. Kolkin, J. Salavon, G. Shakhnarovich, “Style Transfer by Relaxed Optimal Transport and Self-Similarity”, 2019, and github.com/nkolkin13/STROTSS",
		Settings: []Assignment{
			{"min-size", "64"}, {"loss", "relaxed"}, {"samples", "1024"},
			{"style-layers", "relu1_1=0.05,relu1_2=0.9,relu2_1=2.6,relu2_2=4.1,relu3_1=8.7,relu3_2=10.5,relu3_3=32,relu4_3=41,relu5_3=0.1"},
			{"content-weight", "0.6"}, {"content-loss", "mse"}, {"tv-weight", "0"}, {"optimizer", "adam"},
			{"first-iterations", "250"}, {"iterations", "250"}, {"noise", "0"},
			{"step-size", "0.01"}, {"padding", "zero"},
		},
		Deviations: []string{
			"Its points are the features of all layers at a position, and the pixel, as one vector; here each layer is compared by itself, with its share of that vector's squared length as weight, as it is in three paintings of 192 pixels.",
			"Its content loss compares the similarities between positions of a picture with those of the content, which we don't have; ours compares relu4_2 position by position. The weight was chosen so that what is shown stays recognisable where strokes and colours are the style's, as in the paper's figures. The content loss is mse, which pulls the more the farther a picture has gone; under the default one, whose pull stays the same, a draft of the example kept nothing of the content with a weight of 0.12, and nearly all of it with 0.25.",
			"Its content weight is 16 at the scale of 64 pixels, where the style's terms count 2, and half of that at each larger one, 2 at 512; ours is the same at all scales.",
			"Its match of colours, an extra term between pixels, is left out.",
			"It has VGG-16, of whose layers these have the names in VGG-19, where relu3_3, relu4_3 and relu5_3 are the last but one of their blocks.",
			"It optimises a Laplacian pyramid by RMSprop with steps of 0.002 a level, here pixels by Adam with the steps that five levels make, and the average of the iterates, since such steps leave grain where its own at the finest level don't; and its scales grow by 2.",
		},
	},
}

// looks are the presets that change strokes whatever the style. They are named for that
// and not for media such as oil or watercolour, which depend on the style picture;
// docs/presets.md says what was tried.
var looks = []Preset{
	{
		Name: "broad", Help: "broad strokes, without the style's objects",
		Settings: []Assignment{
			{"style-scale", "2"}, {"style-layers", "relu1_1=2,relu2_1=4,relu3_1=4,relu4_1=3"}, {"content-weight", "0.07"}, {"tv-weight", "15"},
		},
		Deviations: []string{"The style is looked at twice as large as the picture, so a style picture of fewer pixels than that gives no larger strokes."},
	},
	{
		Name: "fine", Help: "small strokes and motifs all over, less of the content",
		Settings: []Assignment{
			{"style-scale", "0.35"}, {"loss", "gram"}, {"style-layers", "relu2_1=4,relu3_1=6,relu4_1=1"}, {"content-weight", "0.08"}, {"noise", "0.05"},
		},
		Deviations: []string{"Where the content has little detail there is grain."},
	},
	{
		Name: "soft", Help: "soft washes of the style's colours, no strokes",
		Settings: []Assignment{
			{"style-scale", "1.5"}, {"loss", "moments"}, {"style-layers", "relu1_1=4,relu2_1=1,relu3_1=2,relu4_1=3"}, {"content-weight", "0.04"}, {"tv-weight", "60"},
		},
		Deviations: []string{"Contours are as soft as the rest."},
	},
}
