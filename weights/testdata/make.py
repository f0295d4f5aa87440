"""Makes the samples beside it: what PyTorch and NumPy themselves write.

Needs: pip install torch numpy   (made with torch 2.15.0 and numpy 2.4.6)
  python make.py
"""
import collections
import pickle

import numpy as np
import torch

numbers = torch.arange(24, dtype=torch.float32)
state = collections.OrderedDict()
state['f32'] = numbers.reshape(2, 3, 4).clone()
state['f64'] = numbers[:6].double() / 4
state['f16'] = (numbers[:6] / 4).half()
state['bf16'] = (numbers[:6] / 4).bfloat16()
state['u8'] = torch.arange(250, 256, dtype=torch.uint8)
state['i64'] = torch.tensor(7)
state['turned'] = numbers.reshape(4, 6).clone().t()    # strides 1, 6
state['second_row'] = numbers.reshape(2, 12)[1]        # part of a storage
state['spread'] = torch.tensor([5.0]).expand(3)        # stride 0
state['parameter'] = torch.nn.Parameter(torch.tensor([1.5, -2.5]))
state._metadata = collections.OrderedDict({'': {'version': 1}})
torch.save(state, 'zip.pth')
torch.save(state, 'older.pth', _use_new_zipfile_serialization=False)

arrays = {
    'f32': np.arange(24, dtype='<f4').reshape(2, 3, 4),
    'f64': np.arange(6) / 4,
    'f16': (np.arange(6) / 4).astype('<f2'),
    'u8': np.arange(250, 256, dtype='u1'),
    'big_endian': np.arange(6, dtype='>f4'),
    'turned': np.asfortranarray(np.arange(24, dtype='<f4').reshape(4, 6)).T.copy(order='F'),
    'long': np.arange(400, dtype='<f4'),
}
np.save('dictionary.npy', arrays)

# As older versions of NumPy wrote under Python 3: protocol 2, bytes as text.
whole = np.empty((), dtype=object)
whole[()] = arrays
with open('dictionary_protocol2.npy', 'wb') as f:
    np.lib.format.write_array_header_1_0(f, {'descr': '|O', 'fortran_order': False, 'shape': ()})
    pickle.dump(whole, f, protocol=2)
