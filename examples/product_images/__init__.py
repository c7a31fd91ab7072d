"""Product images: a MobileNet, a ResNet and a Vision Transformer sort photographs of clothing on a device without a
GPU.
"""
