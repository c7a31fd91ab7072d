"""Product images: a MobileNet, a ResNet and a Vision Transformer sort photographs of clothing without a GPU."""
