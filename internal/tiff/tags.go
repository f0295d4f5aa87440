package tiff

// Tags of a directory, named as the TIFF 6.0 specification and its supplements do.
const (
	tagNewSubfileType    = 254
	tagSubfileType       = 255
	tagImageWidth        = 256
	tagImageLength       = 257
	tagBitsPerSample     = 258
	tagCompression       = 259
	tagPhotometric       = 262
	tagFillOrder         = 266
	tagStripOffsets      = 273
	tagOrientation       = 274
	tagSamplesPerPixel   = 277
	tagRowsPerStrip      = 278
	tagStripByteCounts   = 279
	tagXResolution       = 282
	tagYResolution       = 283
	tagPlanar            = 284
	tagT4Options         = 292
	tagResolutionUnit    = 296
	tagSoftware          = 305
	tagPredictor         = 317
	tagColorMap          = 320
	tagTileWidth         = 322
	tagTileLength        = 323
	tagTileOffsets       = 324
	tagTileByteCounts    = 325
	tagSubIFDs           = 330
	tagInkSet            = 332
	tagExtraSamples      = 338
	tagSampleFormat      = 339
	tagJPEGTables        = 347
	tagYCbCrCoefficients = 529
	tagYCbCrSubSampling  = 530
	tagReferenceBW       = 532
	tagXMP               = 700
	tagEXIF              = 34665
	tagICCProfile        = 34675
	tagGPS               = 34853
	tagDNGVersion        = 50706
)

// Values of tagPhotometric.
const (
	minIsWhite  = 0
	minIsBlack  = 1
	photoRGB    = 2
	palette     = 3
	mask        = 4
	separated   = 5
	photoYCbCr  = 6
	cieLab      = 8
	iccLab      = 9
	filterArray = 32803
	linearRaw   = 34892
)

// Values of tagCompression.
const (
	noCompression = 1
	faxRLE        = 2
	faxGroup3     = 3
	faxGroup4     = 4
	lzwCoded      = 5
	jpegCoded     = 7
	adobeDeflate  = 8
	faxRLEWords   = 32771
	packBits      = 32773
	oldDeflate    = 32946
)

// compressions are the names of those that aren't read.
var compressions = map[int]string{
	6: "JPEG of the old kind (compression 6)", 9: "JBIG", 10: "JBIG",
	32766: "NeXT's run lengths", 32809: "ThunderScan", 32895: "IT8 run lengths", 32896: "IT8 run lengths",
	32897: "IT8 run lengths", 32898: "IT8 run lengths", 32908: "Pixar's logarithms", 32909: "Pixar's Deflate",
	33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000", 33007: "JPEG 2000", 34712: "JPEG 2000",
	34661: "JBIG", 34676: "SGI's logarithms", 34677: "SGI's logarithms", 34887: "LERC", 34892: "lossy JPEG of DNG",
	34925: "LZMA", 34926: "Zstandard", 34927: "WebP", 34933: "PNG", 34934: "JPEG XR", 50000: "Zstandard",
	50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}

// rawCompressions are those of camera makers.
var rawCompressions = map[int]bool{
	32767: true, 32769: true, 32770: true, 32772: true, 34713: true, 65000: true, 65535: true,
}

// photometrics are the names of colours that aren't read.
var photometrics = map[int]string{
	mask: "a transparency mask", 10: "ITU Lab colours", 32844: "logarithmic luminance (LogL)",
	32845: "logarithmic colours (LogLuv)", 51177: "a depth map", 52527: "a semantic mask",
}
