# Made with Pillow's ImageCms (littlecms): what colours become in its sRGB by the
# profiles in a folder, perceptual with compensation of the black point.
import json, itertools, os, sys
from PIL import Image, ImageCms
levels=[0,3,40,128,200,255]
out={}
srgb=ImageCms.createProfile("sRGB")
for f in sorted(os.listdir(sys.argv[1])):
    p=ImageCms.getOpenProfile(os.path.join(sys.argv[1],f))
    space=p.profile.xcolor_space.strip()
    n,mode={"GRAY":(1,"L"),"RGB":(3,"RGB"),"CMYK":(4,"CMYK")}[space]
    px=[c for i,c in enumerate(itertools.product(levels,repeat=n)) if n==1 or i%7==0]
    im=Image.new(mode,(len(px),1)); im.putdata([c[0] if n==1 else c for c in px])
    t=ImageCms.buildTransform(p,srgb,mode,"RGB",renderingIntent=0,flags=0x2000)
    res=ImageCms.applyTransform(im,t)
    out[f[:-4]]={"in":[list(c) for c in px],"out":[list(c) for c in res.getdata()]}
json.dump(out,open(sys.argv[2],"w"),separators=(",",":"))
