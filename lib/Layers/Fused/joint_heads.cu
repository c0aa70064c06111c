// Queries, keys and values of the image's and the text's tokens side by side, as attention reads them, queries and keys normalised by their root
// mean square over a head of WIDTH elements. Six streams: image's queries, keys, values, then the text's; blockIdx.y is the stream. WIDTH / 8
// neighbouring threads have a head.

const int LANES = WIDTH / PACK;

struct Forward
{
    const T* input[6];    // [batch, tokens, heads, WIDTH]; null where there is no text
    const T* weight[6];   // [WIDTH]; null: copied as it is
    T* output[3];         // [batch, image tokens + text tokens, heads, WIDTH]
    int64 batch;
    int64 image_tokens;
    int64 text_tokens;
    int64 heads;
    double epsilon;
};

// Where a thread's pack is, in its stream and in the output.
__device__ __forceinline__ bool place(int64 batch, int64 image_tokens, int64 text_tokens, int64 heads, int64& from, int64& to)
{
    const bool text = blockIdx.y >= 3;
    const int64 per_batch = (text ? text_tokens : image_tokens) * heads;
    const int64 index = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    const int64 head = index / LANES;
    if (head >= batch * per_batch)
        return false;
    const int64 row = head / per_batch;
    from = head * WIDTH + index % LANES * PACK;
    to = (row * (image_tokens + text_tokens) * heads + (text ? image_tokens * heads : 0) + head - row * per_batch) * WIDTH + index % LANES * PACK;
    return true;
}

extern "C" __global__ void forward(const Forward a)
{
    int64 from = 0, to = 0;
    const bool present = place(a.batch, a.image_tokens, a.text_tokens, a.heads, from, to);
    const T* weight = a.weight[blockIdx.y];
    float x[PACK] = {};
    if (present)
        load8(a.input[blockIdx.y] + from, x);
    if (weight)
    {
        float squares = 0;
#pragma unroll
        for (int i = 0; i < PACK; i++)
            squares += x[i] * x[i];
        const float reciprocal = rsqrtf(sum_over<LANES>(squares) / WIDTH + (float)a.epsilon);
        float w[PACK];
        load8(weight + threadIdx.x % LANES * PACK, w);
#pragma unroll
        for (int i = 0; i < PACK; i++)
            x[i] *= reciprocal * w[i];
    }
    if (present)
        store8(a.output[blockIdx.y % 3] + to, x);
}

struct Backward
{
    const T* input[6];
    const T* weight[6];
    const T* output_gradient[3];   // or null
    T* input_gradient[6];
    int64 batch;
    int64 image_tokens;
    int64 text_tokens;
    int64 heads;
    double epsilon;
};

extern "C" __global__ void backward(const Backward a)
{
    int64 from = 0, to = 0;
    const T* gradient = a.output_gradient[blockIdx.y % 3];
    const bool present = place(a.batch, a.image_tokens, a.text_tokens, a.heads, from, to) && gradient;
    const T* weight = a.weight[blockIdx.y];
    float g[PACK] = {};
    if (present)
        load8(gradient + to, g);
    if (weight)
    {
        float x[PACK] = {}, w[PACK];
        if (present)
            load8(a.input[blockIdx.y] + from, x);
        load8(weight + threadIdx.x % LANES * PACK, w);
        float squares = 0, products = 0;
#pragma unroll
        for (int i = 0; i < PACK; i++)
        {
            g[i] *= w[i];
            squares += x[i] * x[i];
            products += g[i] * x[i];
        }
        const float reciprocal = rsqrtf(sum_over<LANES>(squares) / WIDTH + (float)a.epsilon);
        const float mean = sum_over<LANES>(products) / WIDTH * reciprocal * reciprocal;
#pragma unroll
        for (int i = 0; i < PACK; i++)
            g[i] = reciprocal * (g[i] - x[i] * mean);
    }
    if (present)
        store8(a.input_gradient[blockIdx.y] + from, g);
}
